import type { JobRecord } from '../../job/job.js';
import { decodeCursor, encodeCursor } from '../../store/cursor.js';
import type { JobFilter, JobPage } from '../../store/job-store.js';
import { matches } from '../../store/verbs.js';
import type { PostgresConnections } from './connections.js';
import { type RecordRow, recordOf } from './rows.js';

/** At most so many jobs are looked at for a page. */
const LOOKED_AT = 1_000;

/** The newest first, by submission. */
export async function listJobs(
  connections: PostgresConnections,
  filter: JobFilter,
  { limit, cursor }: { limit: number; cursor?: string },
  now: number | null,
): Promise<JobPage> {
  let before = cursor === undefined ? Number.MAX_SAFE_INTEGER : decodeCursor<Position>(cursor, isPosition)[1];
  const reply = await connections.call<{ now: number; jobs: (RecordRow & { seq: number })[] }>(
    'list',
    before,
    LOOKED_AT,
    now,
  );
  const jobs: JobRecord[] = [];
  for (const row of reply.jobs) {
    if (jobs.length === limit) return { jobs, cursor: encodeCursor(['before', before, null]) };
    before = row.seq;
    const job = recordOf(row);
    if (matches(job, filter, reply.now)) jobs.push(job);
  }
  return { jobs, cursor: reply.jobs.length === LOOKED_AT ? encodeCursor(['before', before, null]) : null };
}

type Position = readonly [kind: 'before', seq: number, nothing: null];

function isPosition([kind, seq]: readonly unknown[]): boolean {
  return kind === 'before' && Number.isSafeInteger(seq);
}
