import { publish } from '../events/channels.js';
import { AsyncEndpointsError, invalidOption } from '../job/errors.js';
import type { JobRecord } from '../job/job.js';
import type { JobFilter, JobStore, RerunOptions, SweepRhythm } from './job-store.js';

/** The most jobs per call, so that no call keeps a store busy for long. */
const CHANGED_AT_ONCE = 500;

/** For each verb: the status of a changed job, and the error code when the job cannot be changed. */
const CHANGES = {
  cancel: { to: 'Canceled', otherwise: 'JOB_ALREADY_FINISHED' },
  rerun: { to: 'Queued', otherwise: 'JOB_NOT_RERUNNABLE' },
} as const;

type Change = keyof typeof CHANGES;

/** The result of a batch: the jobs that have the new status, and the number of jobs that were refused. */
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

/**
 * Cancels or reruns any number of jobs in batches.
 *
 * @param options of `rerun`
 */
export async function* changeAll(
  store: JobStore,
  verb: Change,
  ids: readonly string[],
  options: RerunOptions = {},
): AsyncGenerator<Changed, void> {
  for (let at = 0; at < ids.length; at += CHANGED_AT_ONCE) {
    const batch = ids.slice(at, at + CHANGED_AT_ONCE);
    const answers = await (verb === 'cancel' ? store.cancel(batch) : store.rerun(batch, options));
    const jobs = answers.filter((job) => job?.status === CHANGES[verb].to) as JobRecord[];
    for (const job of jobs) publish(verb, { job, store });
    yield { jobs, refused: batch.length - jobs.length };
  }
}

/** Collects the changed jobs of all batches. */
export async function changedJobs(changes: AsyncIterable<Changed>): Promise<JobRecord[]> {
  const changed: JobRecord[] = [];
  for await (const { jobs } of changes) changed.push(...jobs);
  return changed;
}

const LISTED_AT_ONCE = 1_000;

/** Yields every job that matches the filter, page by page. */
export async function* listAll(store: JobStore, filter: JobFilter): AsyncGenerator<readonly JobRecord[], void> {
  for (let cursor: string | undefined | null; cursor !== null;) {
    const page = await store.list(filter, { limit: LISTED_AT_ONCE, cursor });
    yield page.jobs;
    cursor = page.cursor;
  }
}

/** The jobs, of one name or of all names, that have been in progress for at least this long. */
export async function jobsRunningFor(store: JobStore, runningForMs: number, name?: string): Promise<JobRecord[]> {
  const stuck: JobRecord[] = [];
  for await (const jobs of listAll(store, { name, status: 'InProgress', runningForMs })) stuck.push(...jobs);
  return stuck;
}

/** Takes the jobs that have been running for at least this long from their workers, and queues them again. */
export async function rerunRunningFor(store: JobStore, runningForMs: number): Promise<JobRecord[]> {
  const ids = (await jobsRunningFor(store, runningForMs)).map(({ id }) => id);
  return changedJobs(changeAll(store, 'rerun', ids, { runningForMs }));
}

interface RecoverAll {
  readonly batchSize: number;
  readonly maxCrashes: number;
  readonly sweep?: SweepRhythm;
  /** The length of a lease, in ms. Usually all workers have the same. */
  readonly leaseMs: number;
}

/**
 * Recovers jobs in batches until no claim with an expired lease is left.
 *
 * @param onBatch called with each batch
 */
export async function recoverAll(
  store: JobStore,
  { batchSize, maxCrashes, sweep, leaseMs }: RecoverAll,
  onBatch: (jobs: readonly JobRecord[]) => void = () => {},
): Promise<JobRecord[]> {
  const recovered: JobRecord[] = [];
  for (let more = true; more;) {
    const batch = await store.recover({ limit: batchSize, maxCrashes, sweep });
    for (const { job, worker, leaseUntil } of batch) {
      publish('recover', { job, store, vanished: { worker, leaseUntil, heartbeatAt: leaseUntil - leaseMs } });
    }
    const jobs = batch.map(({ job }) => job);
    recovered.push(...jobs);
    onBatch(jobs);
    more = jobs.length === batchSize;
  }
  return recovered;
}

/** Deletes up to `limit` terminal jobs past their retention. @returns whether there may be more */
export async function purgeSome(
  store: JobStore,
  limit: number,
  onPurged: (count: number) => void = () => {},
): Promise<boolean> {
  const ids = await store.purge(limit);
  onPurged(ids.length);
  if (ids.length > 0) publish('purged', { store, ids });
  return ids.length === limit;
}

const MOST_NAMES = 1_000;
const LONGEST_TEXT = 1_000;

/**
 * Pauses or resumes job names.
 *
 * @param by who pauses or resumes them, for the log and the list of paused names
 * @throws AsyncEndpointsError `INVALID_OPTION` for no names, more than 1000 names, and texts that are empty or longer than 1000
 * characters
 */
export async function pauseOrResume(
  store: JobStore,
  verb: 'pause' | 'resume',
  names: readonly string[],
  by: string | null,
): Promise<void> {
  const isText = (text: unknown) => typeof text === 'string' && text.length > 0 && text.length <= LONGEST_TEXT;
  if (names.length === 0 || names.length > MOST_NAMES || !names.every(isText)) {
    throw invalidOption(`Expected 1 to ${MOST_NAMES} job names to ${verb}.`);
  }
  if (by !== null && !isText(by)) {
    throw invalidOption(`by is invalid; expected 1 to ${LONGEST_TEXT} characters.`);
  }
  await (verb === 'pause' ? store.pause(names, by) : store.resume(names));
  publish('paused', { store, verb, names, by });
}
