import type { OperatorAction } from '../events/channels.js';
import type { Claim, JobRecord, NewJob } from '../job/job.js';
import type { Settlement } from '../job/lifecycle.js';
import type { ScheduleStore } from './schedules.js';
import type { Transaction } from './transaction.js';
import type {
  ClaimRequest,
  JobChange,
  JobFilter,
  JobPage,
  LiveWorker,
  PausedQueue,
  QueueLimits,
  QueueStats,
  Recovered,
  RecoverOptions,
  Renewal,
  RenewalReply,
  RerunOptions,
  StoreResources,
  Submission,
  Topic,
  WorkerInfo,
} from './verbs.js';

export type { OperatorAction };
export type * from './verbs.js';

/**
 * Keeps the jobs. This class is the type, the injection token and the contract in one. `describeJobStore` of
 * `nestjs-async-endpoints/testing/contract` tests that a store keeps the contract.
 *
 * Every method takes a batch and returns a reply for each element, in the same order. Each element is one atomic step, record and
 * indexes together; the batch need not be. Times come from the store's clock: callers pass durations only. When the store is
 * unreachable, a method rejects with the code `STORE_UNAVAILABLE` within the store's own deadline. The caller then does not know
 * whether it took effect, and may repeat it. A full store rejects submissions with `STORE_FULL`, and continues with methods that
 * free space or keep claims alive. A store that accepts no changes rejects with `STORE_READ_ONLY`. In both cases nothing took effect.
 */
export abstract class JobStore {
  /**
   * Connects. Each application calls it once, before anything else. Applications of one process may share a store. A store can be
   * opened again after it was closed. Rejects with `STORE_UNAVAILABLE` when the store is closed while it is being opened.
   */
  abstract open(): Promise<void>;

  /**
   * Ends one `open()`. The last call closes the store and releases everything that keeps a process alive. Further calls do nothing.
   * Resolves within the store's own deadline in any state: while opening, while reconnecting, and while a call is unanswered.
   * Ends every `waitForWork`.
   */
  abstract close(): Promise<void>;

  /**
   * Resolves when the store answers and accepts changes.
   *
   * @throws AsyncEndpointsError `STORE_UNAVAILABLE`, `STORE_FULL`, `STORE_READ_ONLY`
   */
  abstract ping(): Promise<void>;

  /**
   * Inserts each job, unless its id or idempotency key is known or a limit is reached. The checks happen in the same atomic step as
   * the insert, in this order; a key is checked before an id. A known job is `existing` when name, owner and fingerprint are the
   * same, and a `conflict` otherwise. `limits.queueLimit` bounds the waiting jobs of all names, a job's own `queueLimit` those of its
   * name. `queueBytes` bounds their bytes: a queue that has reached it is full, so it exceeds it by less than one job. Repeating a
   * submission that has an id or key inserts nothing. A key names its job by id, so it does not count while no job has this id.
   */
  abstract submit(jobs: readonly NewJob[], limits: QueueLimits): Promise<Submission[]>;

  /**
   * Claims up to `limit` jobs of the names in `slots`, at most as many of each name as `slots` states. The order within a name is
   * `scheduledAt` minus one minute for each step of priority (`priorityAgingMs` of the store), then larger priority, then order of
   * submission. So of jobs with the same `scheduledAt` the larger priority goes first, and no job waits forever. Names take turns, so
   * a long queue of one name does not starve another. No job is claimed twice. The fence of a claim is larger than every earlier
   * one of its job. An empty reply is normal.
   */
  abstract claim(request: ClaimRequest): Promise<Claim[]>;

  /** Extends leases and writes progress when the fence is that of the current claim. Repeating it is safe. */
  abstract renew(renewals: readonly Renewal[]): Promise<RenewalReply[]>;

  /**
   * Ends claims. True when the fence is that of the job's latest claim; a repeated settlement returns the same and changes nothing.
   * False when the claim was revoked or another worker has claimed the job: then nothing was written.
   */
  abstract settle(settlements: readonly Settlement[]): Promise<boolean[]>;

  /**
   * Cancels jobs that are not terminal, and revokes their claims. Returns each job in its new state (`Completed` or `Failed` when it
   * was too late), or null for an unknown one.
   */
  abstract cancel(ids: readonly string[]): Promise<(JobRecord | null)[]>;

  /**
   * Queues failed and canceled jobs again, with all their attempts; with `runningForMs`, jobs in progress instead, whose claims it
   * revokes. Returns each job in its new state, or null for an unknown one.
   */
  abstract rerun(ids: readonly string[], options?: RerunOptions): Promise<(JobRecord | null)[]>;

  /**
   * Recovers up to `limit` jobs whose lease has ended. They are queued again in their old place, or fail with `WORKER_CRASHED` at
   * their `maxCrashes`-th crash. Returns the jobs, each with the worker that held it and the end of its lease. Fewer than `limit`
   * means there are no more.
   *
   * The store remembers every call with `sweep`. When there was no such call for longer than `silenceMs`, although a process that
   * swept before still sweeps, the store was unreachable or its clock jumped. Then no job is recovered for another `leaseMs`, so that
   * live workers can renew their leases. A lease that ended in the silence counts no crash.
   */
  abstract recover(options: RecoverOptions): Promise<Recovered[]>;

  /** Deletes up to `limit` terminal jobs after their retention. Returns their ids; fewer than `limit` means there are no more. */
  abstract purge(limit: number): Promise<string[]>;

  /**
   * Returns the jobs, or null for an unknown one.
   *
   * @param owners the owner that each job must have, in the order of the ids; null for no owner. A job of another owner is null. The
   * store decides that before it reads the record, so that the time of a reply does not reveal the size of a result
   */
  abstract find(ids: readonly string[], owners?: readonly (string | null)[]): Promise<(JobRecord | null)[]>;

  /**
   * Returns a page of jobs, newest first: the job that came last into its present status is the first. That is the time of
   * submission, retry or rerun of a waiting job, `startedAt` of one in progress, and `completedAt` of a terminal one. A page costs
   * what it returns, whatever the number of other jobs. A filter by owner and error code may read all jobs of the owner, a bounded
   * number of them for each page.
   *
   * A job that does not change is on exactly one page. A job that changes meanwhile may be listed again in its new state; a job that
   * is queued again may be missed. Pages may be short or empty; the last one has a null cursor.
   */
  abstract list(filter: JobFilter, page: { limit: number; cursor?: string }): Promise<JobPage>;

  /**
   * Returns an entry for each name and status that has jobs, and a `Queued` entry for each paused name without queued jobs. The cost
   * does not depend on the number of jobs.
   */
  abstract stats(): Promise<QueueStats[]>;

  /**
   * Stops claims of these names, by all workers and durably, until they are resumed, whether or not there are jobs of them.
   * Submissions are accepted, jobs in progress continue, and scheduled times do not move. A name that is already paused does not
   * change.
   *
   * @param by who pauses the names
   */
  abstract pause(names: readonly string[], by: string | null): Promise<void>;

  /** Allows claims of these names again, and ends `waitForWork` calls that wait for them. */
  abstract resume(names: readonly string[]): Promise<void>;

  /** Returns the paused names, in order. */
  abstract paused(): Promise<PausedQueue[]>;

  /** Registers a live worker. It is forgotten unless it registers again within `aliveMs`. */
  abstract register(worker: WorkerInfo, aliveMs: number): Promise<void>;

  /** Forgets a worker that stops. */
  abstract unregister(id: string): Promise<void>;

  /** Returns the live workers, in the order of their ids. */
  abstract workers(): Promise<LiveWorker[]>;

  /**
   * Submits jobs in a transaction of the caller. The jobs exist if, and only if, it commits. Limits are checked against the
   * committed jobs. Waiting workers are notified after the commit. Optional, for stores in a database.
   */
  submitWithin?(transaction: Transaction, jobs: readonly NewJob[], limits: QueueLimits): Promise<Submission[]>;

  /**
   * Returns the `StoredPayload` of a job as JSON text, for operators; null for an unknown job and for one whose payload is
   * deleted. Optional: without it, the dashboard shows no payloads.
   */
  payload?(id: string): Promise<string | null>;

  /** The schedules of recurring jobs. Optional: without it, an application that declares schedules does not boot. */
  readonly schedules?: ScheduleStore;

  /**
   * Stores an action of a tool in another process, for the workers' log and metrics. Optional, for stores that tools can open. The
   * number of stored actions is bounded.
   */
  reportAction?(action: OperatorAction): Promise<void>;

  /** Returns and removes the reported actions. Optional; each sweep of a worker calls it. */
  takeActions?(): Promise<OperatorAction[]>;

  /**
   * Checks that indexes and counters agree with the jobs. Returns each deviation as a sentence. With `repair`, it then corrects what it
   * found; audit again to see what is left. Reads every job: for tests and operators. Optional.
   */
  audit?(options?: { repair?: boolean }): Promise<string[]>;

  /** Returns what the store uses of its server or disk. For metrics, once for each scrape. Optional. */
  resources?(): Promise<StoreResources>;

  /**
   * Calls the listener after each change of the topic, from when the promise resolves until the returned function is called.
   * Notifications may be merged, but never invented. Read the job for its state.
   */
  abstract subscribe(topic: Topic, listener: (change: JobChange) => void): Promise<() => void>;

  /**
   * Resolves when a job of one of the names may be claimable, at once if there is one, and when the signal is aborted. One new job
   * wakes one waiter. When that waiter has died with its process, the next `recover` wakes another. Never rejects: while the store is
   * unreachable, it resolves when a retry makes sense.
   */
  abstract waitForWork(names: readonly string[], signal: AbortSignal): Promise<void>;
}
