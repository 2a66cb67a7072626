import type { JobRecord } from '../../job/job.js';
import { decodeCursor, encodeCursor } from '../../store/cursor.js';
import type { JobFilter, JobPage } from '../../store/job-store.js';
import { matches } from '../../store/verbs.js';
import type { OpenDatabase } from './open-database.js';
import { type JobRow, recordOf } from './rows.js';

/** At most so many jobs are looked at for a page. */
const LOOKED_AT = 1_000;

/** The newest first, by submission; jobs in progress have an index of their own. */
export function listJobs(
  { statements }: OpenDatabase,
  filter: JobFilter,
  { limit, cursor }: { limit: number; cursor?: string },
  now: number,
): JobPage {
  let before = cursor === undefined ? Number.MAX_SAFE_INTEGER : decodeCursor<Position>(cursor, isPosition)[1];
  const isOfRunning = filter.status === 'InProgress' || filter.runningForMs !== undefined;
  const rows = (isOfRunning ? statements.listRunning : statements.list).all(before, LOOKED_AT) as JobRow[];
  const jobs: JobRecord[] = [];
  for (const row of rows) {
    if (jobs.length === limit) return { jobs, cursor: encodeCursor(['before', before, null]) };
    before = row.seq;
    const job = recordOf(row);
    if (matches(job, filter, now)) jobs.push(job);
  }
  return { jobs, cursor: rows.length === LOOKED_AT ? encodeCursor(['before', before, null]) : null };
}

type Position = readonly [kind: 'before', seq: number, nothing: null];

function isPosition([kind, seq]: readonly unknown[]): boolean {
  return kind === 'before' && Number.isSafeInteger(seq);
}
