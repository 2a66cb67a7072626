import { JOB_STATUSES, type JobRecord, type JobStatus } from '../../job/job.js';
import { beginningAt, encodeCursor, matches } from '../../store/listing.js';
import type { JobFilter, JobPage } from '../../store/job-store.js';
import { encodeNullable } from '../sql/text.js';
import type { PostgresConnections } from './connections.js';
import { type RecordRow, recordOf } from './rows.js';

/** The most jobs of an owner that are read for a page that is also filtered by error code. */
const LOOKED_AT = 1_000;

interface Reply {
  readonly now: number;
  readonly more: boolean;
  readonly jobs: readonly (RecordRow & { readonly at: number; readonly seq: number })[];
}

/** The newest first: who came last into its status; those of one time in the reverse order of submission. */
export async function listJobs(
  connections: PostgresConnections,
  filter: JobFilter,
  { limit, cursor }: { limit: number; cursor?: string },
  now: number | null,
): Promise<JobPage> {
  let before = beginningAt(cursor);
  const { name = null, owner = null, errorCode = null, runningForMs = null } = filter;
  const by = [encodeNullable(name), statusesOf(filter), encodeNullable(owner), encodeNullable(errorCode), runningForMs];
  const most = owner !== null && errorCode !== null ? LOOKED_AT : limit;
  const reply = await connections.call<Reply>('list', ...by, before[1], before[2], most, now);
  const jobs: JobRecord[] = [];
  for (const row of reply.jobs) {
    if (jobs.length === limit) return { jobs, cursor: encodeCursor(before) };
    before = ['before', row.at, row.seq];
    const job = recordOf(row);
    if (matches(job, filter, reply.now)) jobs.push(job);
  }
  return { jobs, cursor: reply.more ? encodeCursor(before) : null };
}

function statusesOf({ status, runningForMs }: JobFilter): readonly JobStatus[] {
  const possible = runningForMs === undefined ? JOB_STATUSES : (['InProgress'] as const);
  return status === undefined ? possible : possible.filter((one) => one === status);
}
