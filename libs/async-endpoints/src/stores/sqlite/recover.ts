import * as lifecycle from '../../job/lifecycle.js';
import type { Recovered, RecoverOptions } from '../../store/job-store.js';
import { hasRunOut, ranOutInSilence } from '../../store/sweeps.js';
import type { OpenDatabase } from './open-database.js';
import { type JobRow, recordOf } from './rows.js';

/** Within a transaction. @param sweptAt the time of the last sweep of this process */
export function recoverJobs(
  database: OpenDatabase,
  { limit, maxCrashes, sweep }: RecoverOptions,
  now: number,
  sweptAt: number | null,
): Recovered[] {
  const silence = sweep ? database.noteSweep(sweep, now, sweptAt) : database.silence;
  const expired = database.statements.expired.all(now, limit) as JobRow[];
  return expired.flatMap((row): Recovered[] => {
    const [job, leaseUntil] = [recordOf(row), row.lease_until as number];
    if (!hasRunOut(silence, leaseUntil, now)) return [];
    const isCrash = !ranOutInSilence(silence, leaseUntil);
    const recovered = database.jobs.update(row, job, lifecycle.recover(job, { maxCrashes, isCrash }, now));
    return [{ job: recovered, worker: job.worker as string, leaseUntil }];
  });
}
