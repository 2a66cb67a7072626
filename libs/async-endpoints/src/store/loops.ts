import { publish } from '../events/channels.js';
import { AsyncEndpointsError } from '../job/errors.js';
import type { JobRecord } from '../job/job.js';
import type { JobFilter, JobStore, RerunOptions, SweepRhythm } from './job-store.js';

/** Bounded, so that no call keeps a store busy for long. */
const CHANGED_AT_ONCE = 500;

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

/**
 * Cancels or reruns any number of jobs, batch by batch.
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

/** The jobs that were changed, of all batches. */
export async function changedJobs(changes: AsyncIterable<Changed>): Promise<JobRecord[]> {
  const changed: JobRecord[] = [];
  for await (const { jobs } of changes) changed.push(...jobs);
  return changed;
}

const LISTED_AT_ONCE = 1_000;

/** Every job that matches, page by page. */
export async function* listAll(store: JobStore, filter: JobFilter): AsyncGenerator<readonly JobRecord[], void> {
  for (let cursor: string | undefined | null; cursor !== null;) {
    const page = await store.list(filter, { limit: LISTED_AT_ONCE, cursor });
    yield page.jobs;
    cursor = page.cursor;
  }
}

/** The jobs, of one name or of all, that have been running for at least this long. */
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
  /** How long leases are, in ms: a heartbeat makes one that ends so much later. All workers have the same, as a rule. */
  readonly leaseMs: number;
}

/**
 * Recovers batch by batch, until no claim with an expired lease is left.
 *
 * @param onBatch is told of each batch
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

/** Removes up to `limit` finished jobs past their retention. @returns whether there may be more */
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
 * @param by the person who does it
 * @throws AsyncEndpointsError `INVALID_OPTION` for no names, more than 1000, and texts that are empty or longer than 1000
 */
export async function pauseOrResume(
  store: JobStore,
  verb: 'pause' | 'resume',
  names: readonly string[],
  by: string | null,
): Promise<void> {
  const isText = (text: unknown) => typeof text === 'string' && text.length > 0 && text.length <= LONGEST_TEXT;
  if (names.length === 0 || names.length > MOST_NAMES || !names.every(isText)) {
    throw new AsyncEndpointsError('INVALID_OPTION', `Expected 1 to ${MOST_NAMES} job names to ${verb}.`);
  }
  if (by !== null && !isText(by)) {
    throw new AsyncEndpointsError('INVALID_OPTION', `by is no text of 1 to ${LONGEST_TEXT} characters.`);
  }
  await (verb === 'pause' ? store.pause(names, by) : store.resume(names));
  publish('paused', { store, verb, names, by });
}

/** Tells log and metrics of this process what tools did and no other worker has told. */
export async function publishActions(store: JobStore): Promise<void> {
  for (const action of (await store.takeActions?.()) ?? []) {
    publish('action', { store, action });
  }
}

/** A job, and whose it must be; null for nobody's. */
export interface OwnedId {
  readonly id: string;
  readonly owner: string | null;
}

export function findOwned(store: JobStore, jobs: readonly OwnedId[]): Promise<(JobRecord | null)[]> {
  return store.find(
    jobs.map(({ id }) => id),
    jobs.map(({ owner }) => owner),
  );
}
