import type { NewJob } from '../../job/job.js';
import * as lifecycle from '../../job/lifecycle.js';
import type { QueueLimits, Submission } from '../../store/job-store.js';
import { isSameRequest } from '../../store/verbs.js';
import type { Waiting } from './job-table.js';
import type { OpenDatabase } from './open-database.js';
import { recordOf } from './rows.js';

/** Call it within a transaction. */
export function submitJobs(
  database: OpenDatabase,
  jobs: readonly NewJob[],
  limits: QueueLimits,
  now: number,
): Submission[] {
  const waiting = database.jobs.waiting(); // read once, because it reads a row for each name
  return jobs.map((job) => submitOne(database, job, limits, waiting, now));
}

/** @param waiting updated with the job */
function submitOne(
  { jobs, statements, afterwards, work }: OpenDatabase,
  job: NewJob,
  limits: QueueLimits,
  waiting: Waiting,
  now: number,
): Submission {
  const scope = job.idempotency && JSON.stringify([job.owner, job.name, job.idempotency.key]);
  const key = scope === null ? undefined : (statements.findKey.get(scope, now) as { id: string } | undefined);
  const keyed = key && jobs.find(key.id); // a key whose job was purged does not count
  const row = keyed ?? jobs.find(job.id);
  if (row) {
    const known = recordOf(row);
    if (isSameRequest(known, job)) return { outcome: 'existing', job: known };
    return { outcome: 'conflict', on: keyed ? 'key' : 'id' };
  }
  const limit = jobs.reachedLimit(job, limits, waiting);
  if (limit) return { outcome: 'refused', limit };
  const record = lifecycle.submit(job, now);
  waiting.count++;
  waiting.bytes += jobs.insert(record, job.payload);
  if (scope !== null) statements.keepKey.run(scope, job.id, now + (job.idempotency?.retentionMs ?? 0));
  afterwards(() => work.arrived(record));
  return { outcome: 'created', job: record };
}
