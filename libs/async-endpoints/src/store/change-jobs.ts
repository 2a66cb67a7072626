import { AsyncEndpointsError } from '../job/errors.js';
import type { JobRecord } from '../job/job.js';
import { publish } from '../observability/channels.js';
import type { JobStore } from './job-store.js';

/** Bounded, so that no call keeps a store busy for long. */
const BATCH = 500;

/** What a job is once it is changed, and what it is called where it cannot be. */
const CHANGES = {
  cancel: { to: 'Canceled', otherwise: 'JOB_ALREADY_FINISHED' },
  rerun: { to: 'Queued', otherwise: 'JOB_NOT_RERUNNABLE' },
} as const;

type Change = keyof typeof CHANGES;

/** What became of a batch: those that are as the verb would have them, and how many are not. */
export interface Changed {
  readonly jobs: readonly JobRecord[];
  /** Unknown, or in a status that the verb does not change. */
  readonly refused: number;
}

/** @throws AsyncEndpointsError `JOB_NOT_FOUND`, `JOB_ALREADY_FINISHED`, `JOB_NOT_RERUNNABLE` */
export async function changeOne(store: JobStore, verb: Change, id: string): Promise<JobRecord> {
  const { to, otherwise } = CHANGES[verb];
  const [job] = await store[verb]([id]);
  if (!job) throw new AsyncEndpointsError('JOB_NOT_FOUND');
  if (job.status !== to) throw new AsyncEndpointsError(otherwise);
  publish(verb, { job, store });
  return job;
}

/** Cancels or reruns any number of jobs, batch by batch. */
export async function* changeAll(store: JobStore, verb: Change, ids: readonly string[]): AsyncGenerator<Changed, void> {
  for (let at = 0; at < ids.length; at += BATCH) {
    const batch = ids.slice(at, at + BATCH);
    const jobs = (await store[verb](batch)).filter((job) => job?.status === CHANGES[verb].to) as JobRecord[];
    for (const job of jobs) publish(verb, { job, store });
    yield { jobs, refused: batch.length - jobs.length };
  }
}

/**
 * Takes running jobs from their workers, however alive these are, and queues them anew with all their attempts. Two steps
 * for each batch: where we die between them, its jobs are `Canceled`, and can be rerun. A job that ended in the meantime
 * stays as it is.
 */
export async function* requeueAll(store: JobStore, ids: readonly string[]): AsyncGenerator<Changed, void> {
  for await (const canceled of changeAll(store, 'cancel', ids)) {
    const revoked = canceled.jobs.map(({ id }) => id);
    for await (const { jobs, refused } of changeAll(store, 'rerun', revoked)) {
      yield { jobs, refused: refused + canceled.refused };
    }
    if (revoked.length === 0) yield canceled;
  }
}

/** The jobs that were changed, of all batches. */
export async function changedJobs(changes: AsyncIterable<Changed>): Promise<JobRecord[]> {
  const changed: JobRecord[] = [];
  for await (const { jobs } of changes) changed.push(...jobs);
  return changed;
}
