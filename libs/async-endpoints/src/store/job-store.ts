import type { OperatorAction } from '../events/channels.js';
import type { Claim, JobRecord, NewJob } from '../job/job.js';
import type { Settlement } from '../job/lifecycle.js';
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
  StoreMemory,
  Submission,
  Topic,
  WorkerInfo,
} from './verbs.js';

export type { OperatorAction };
export type * from './verbs.js';

/**
 * The one durable truth. Type, injection token and contract in one; `describeJobStore` of
 * `nestjs-async-endpoints/testing` proves that a store keeps it.
 *
 * Every verb is batched, and answers in the order of its arguments. Each element of a batch is one atomic step, record
 * and indexes together; a batch need not be. Time is the store's clock: callers give durations only. A verb that cannot
 * reach the store throws `AsyncEndpointsError` with code `STORE_UNAVAILABLE` within the store's own deadline; whether it
 * took effect is then unknown, and repeating it is safe. A store that is full refuses submissions with `STORE_FULL` and goes
 * on with what frees space or keeps work alive; one that accepts no changes says `STORE_READ_ONLY`. Then nothing took effect.
 */
export abstract class JobStore {
  /**
   * Connects. Called before anything else, once by each application that uses the store: applications of one process may
   * share a store. A store can be opened again after it was closed. Rejects with `STORE_UNAVAILABLE` when the store is closed
   * while it is being opened.
   */
  abstract open(): Promise<void>;

  /**
   * Ends one `open()`. The last one closes the store and lets go of everything that keeps a process alive; calling it again
   * does nothing. Resolves within the store's own deadline in whatever state the store is: opening, connecting again, or
   * while a call is not answered. Nobody who waits for work waits any longer.
   */
  abstract close(): Promise<void>;

  /**
   * Resolves when the store answers and accepts changes.
   *
   * @throws AsyncEndpointsError `STORE_UNAVAILABLE`, `STORE_FULL`, `STORE_READ_ONLY`
   */
  abstract ping(): Promise<void>;

  /**
   * Inserts each job, unless its id or idempotency key is known or a limit is reached: decided in the same atomic step
   * as the insert, in this order. A key wins over an id. A known one is `existing` when name, owner and fingerprint are
   * the same, else a `conflict`. `queueLimit` bounds the jobs of all names that wait, a job's own `queueLimit` those of
   * its name. `queueBytes` does the same for what they take: a queue that has reached it is full, so that it goes over by
   * less than one job. Repeating a submission that has an id or key inserts nothing.
   */
  abstract submit(jobs: readonly NewJob[], limits: QueueLimits): Promise<Submission[]>;

  /**
   * Takes up to `limit` jobs, only of the names in `slots` and at most as many of each. Within a name they go by their due
   * time less one minute for each step of their priority (or as `priorityAgingMs` of the store says), then larger priority
   * first, then order of submission: so larger priority goes first among jobs that are due together, and none waits for ever. Names take turns, so a long backlog of one does not starve
   * another. No job is claimed twice; each claim's token is larger than every earlier one of that job. An empty answer
   * is normal.
   */
  abstract claim(request: ClaimRequest): Promise<Claim[]>;

  /** Extends leases and writes progress, where the token is that of the present claim. Repeating it is harmless. */
  abstract renew(renewals: readonly Renewal[]): Promise<RenewalReply[]>;

  /**
   * Ends claims. True where the claim was ours to end; repeating a settlement answers the same and changes nothing.
   * False where the claim was revoked or is another's by now: then nothing was written.
   */
  abstract settle(settlements: readonly Settlement[]): Promise<boolean[]>;

  /**
   * Cancels jobs that have not finished, revoking their claims. Answers each job as it now stands (`Canceled` where it
   * was or is canceled, `Completed` or `Failed` where it was too late), or null for an unknown one.
   */
  abstract cancel(ids: readonly string[]): Promise<(JobRecord | null)[]>;

  /**
   * Queues failed and canceled jobs anew, with all their attempts; with `runningForMs`, jobs in progress instead, whose
   * claims it revokes. Answers each job as it now stands, or null for an unknown one.
   */
  abstract rerun(ids: readonly string[], options?: RerunOptions): Promise<(JobRecord | null)[]>;

  /**
   * Takes up to `limit` jobs from claims whose lease has run out: queued again in their old place, or failed with
   * `WORKER_CRASHED` at their `maxCrashes`-th crash. Answers the jobs as they now stand, each with the worker that held it and the
   * end of its lease; fewer than `limit` means there are no more.
   *
   * The store notes every call with `sweep`. Where none came for longer than `silenceMs`, although a process that swept
   * before still sweeps, nobody could reach the store, or its clock jumped. Then nothing is taken for another `leaseMs`, by
   * nobody, so that living workers can renew; and a lease that ran out in that time counts no crash.
   */
  abstract recover(options: RecoverOptions): Promise<Recovered[]>;

  /** Removes up to `limit` finished jobs past their retention. Answers their ids; fewer than `limit` means no more. */
  abstract purge(limit: number): Promise<string[]>;

  /**
   * The jobs as they stand, or null for an unknown one.
   *
   * @param owners where given, whose each job must be, in the order of the ids; null for nobody's. A job of another owner is
   * null, and the store decides so before it moves its record: how large another's result is must not show in the time
   */
  abstract find(ids: readonly string[], owners?: readonly (string | null)[]): Promise<(JobRecord | null)[]>;

  /**
   * A page of jobs in no particular order. A job that stays as it is is listed exactly once over all pages. One that
   * moves on meanwhile may be listed again, as it then stands; one that goes back to wait may be passed over. A page may be
   * short, even empty, before the end: only a null cursor is the end.
   */
  abstract list(filter: JobFilter, page: { limit: number; cursor?: string }): Promise<JobPage>;

  /**
   * One entry for each name and status that has jobs, and one, `Queued`, for each paused name that has none queued. Costs
   * nothing per job.
   */
  abstract stats(): Promise<QueueStats[]>;

  /**
   * From now on nothing of these names is claimed, by any worker, until they are resumed: durably, whether or not there are
   * jobs of them. Submissions are accepted, jobs in progress go on, scheduled times stand. A name that is paused already
   * stays as it is.
   *
   * @param by who does it
   */
  abstract pause(names: readonly string[], by: string | null): Promise<void>;

  /** Jobs of these names are claimed again, and whoever waits for work of them is woken. */
  abstract resume(names: readonly string[]): Promise<void>;

  /** The paused names, in order. */
  abstract paused(): Promise<PausedQueue[]>;

  /** Notes that a worker lives. It is forgotten unless it registers again within `aliveMs`. */
  abstract register(worker: WorkerInfo, aliveMs: number): Promise<void>;

  /** Forgets a worker that stops. */
  abstract unregister(id: string): Promise<void>;

  /** The workers that live, in the order of their ids. */
  abstract workers(): Promise<LiveWorker[]>;

  /**
   * Leaves word of what a tool in another process did, for the workers' log and metrics. Optional, for stores that tools can
   * open; a bounded number of actions waits to be taken.
   */
  reportAction?(action: OperatorAction): Promise<void>;

  /** Takes the actions that were reported and that no worker has taken yet. Optional; each sweep of a worker asks. */
  takeActions?(): Promise<OperatorAction[]>;

  /**
   * The memory of the store's server, of the fullest one where there are several; null where it does not say. For metrics. A
   * store that cannot know it leaves this method out.
   */
  memory?(): Promise<StoreMemory | null>;

  /**
   * Calls the listener after each change that the topic names, from when the promise resolves until the returned
   * function is called. Events may be merged, never invented; read the job for the truth.
   */
  abstract subscribe(topic: Topic, listener: (change: JobChange) => void): Promise<() => void>;

  /**
   * Resolves when a job of one of the names may be claimable, at once if one is, and when the signal is aborted. One
   * new job wakes one waiter; where that one vanished with its process, the next `recover` wakes another. Never rejects:
   * where the store cannot be reached it resolves when it may be again.
   */
  abstract waitForWork(names: readonly string[], signal: AbortSignal): Promise<void>;
}
