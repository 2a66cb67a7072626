import { scopeOfKey, submitAgain } from '../../job/decide.js';
import type { JobRecord, NewJob } from '../../job/job.js';
import * as lifecycle from '../../job/lifecycle.js';
import type { QueueLimits, Submission } from '../../store/job-store.js';
import type { JobTable } from './job-table.js';
import { recordOf } from './rows.js';
import type { Statements } from './statements.js';
import type { Waiting } from './tally.js';

/** What a submission needs of a connection. */
interface Tables {
  readonly jobs: JobTable;
  readonly statements: Statements;
  /** Called with each new job, which is not committed yet. */
  arrived(job: JobRecord): void;
}

/** Call it within a transaction. */
export function submitJobs(tables: Tables, jobs: readonly NewJob[], limits: QueueLimits, now: number): Submission[] {
  const waiting = tables.jobs.tally.waiting(); // read once, because it reads a row for each name
  return jobs.map((job) => submitOne(tables, job, limits, waiting, now));
}

/** @param waiting updated with the job */
function submitOne(tables: Tables, job: NewJob, limits: QueueLimits, waiting: Waiting, now: number): Submission {
  const { jobs, statements } = tables;
  const scope = scopeOfKey(job);
  const key = scope === null ? undefined : (statements.findKey.get(scope, now) as { id: string } | undefined);
  const keyed = key && jobs.find(key.id); // a key whose job was purged does not count
  const row = keyed ?? jobs.find(job.id);
  if (row) return submitAgain(recordOf(row), job, keyed ? 'key' : 'id');
  const limit = jobs.reachedLimit(job, limits, waiting);
  if (limit) return { outcome: 'refused', limit };
  const record = lifecycle.submit(job, now);
  waiting.count++;
  waiting.bytes += jobs.insert(record, job.payload);
  if (scope !== null) statements.keepKey.run(scope, job.id, now + (job.idempotency?.retentionMs ?? 0));
  tables.arrived(record);
  return { outcome: 'created', job: record };
}
