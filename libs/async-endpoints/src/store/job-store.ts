import type { Claim, JobProgress, JobRecord, JobStatus, NewJob } from '../job/job.js';
import type { Settlement } from '../job/lifecycle.js';

/** What became of one submission. */
export type Submission =
  /** Inserted. */
  | { readonly outcome: 'created'; readonly job: JobRecord }
  /** The same request was accepted before; the job as it now stands. Nothing was inserted. */
  | { readonly outcome: 'existing'; readonly job: JobRecord }
  /** The id or key stands for a different request. Nothing was inserted. */
  | { readonly outcome: 'conflict'; readonly on: 'id' | 'key' }
  /** As many jobs wait as may. Nothing was inserted. */
  | { readonly outcome: 'refused'; readonly limit: 'total' | 'name' };

export interface ClaimRequest {
  /** Who claims; written into the job. */
  readonly worker: string;
  /** How long the claim is believed without renewal, in milliseconds. */
  readonly leaseMs: number;
  /** The most claims in all: what the worker can start now. */
  readonly limit: number;
  /** The names that the worker handles, each with the most claims of that name. */
  readonly slots: ReadonlyMap<string, number>;
}

export interface Renewal {
  readonly id: string;
  readonly token: number;
  readonly leaseMs: number;
  /** Written with the renewal, where there is any. */
  readonly progress?: JobProgress;
}

/** `held`: still ours. `canceled`: the job was canceled. `lost`: the claim is another's, or the job is gone. */
export type RenewalReply = 'held' | 'canceled' | 'lost';

/** Which jobs to list; every field given must match. */
export interface JobFilter {
  readonly name?: string;
  readonly status?: JobStatus;
  readonly owner?: string;
  /** Only jobs in progress that were claimed at least this long ago, in milliseconds. */
  readonly runningForMs?: number;
}

export interface JobPage<TJob = JobRecord> {
  readonly jobs: readonly TJob[];
  /** Give it back for the next page; `null` at the end. */
  readonly cursor: string | null;
}

/** How many jobs of one name have one status. */
export interface QueueStats {
  readonly name: string;
  readonly status: JobStatus;
  readonly count: number;
  /**
   * Of waiting jobs: for how long the earliest of their name, queued or scheduled, has been due; 0 while none is. Of jobs
   * in progress: how long ago the earliest was claimed. Of finished ones: null.
   */
  readonly oldestAgeMs: number | null;
}

/** A job changed. */
export interface JobChange {
  readonly id: string;
  /** `null` where the job is found to be gone. */
  readonly status: JobStatus | null;
  readonly version: number;
  /** The job as this change left it, where the store had it at hand: who has read the job before need not read it again. */
  readonly job?: JobRecord;
}

/** What to be told of: every change of one job, or every revocation (cancel, recover) of a claim of one worker. */
export type Topic = { readonly job: string } | { readonly worker: string };

/**
 * The one durable truth. Type, injection token and contract in one; `describeJobStore` of
 * `nestjs-async-endpoints/testing` proves that a store keeps it.
 *
 * Every verb is batched, and answers in the order of its arguments. Each element of a batch is one atomic step, record
 * and indexes together; a batch need not be. Time is the store's clock: callers give durations only. A verb that cannot
 * reach the store throws `AsyncEndpointsError` with code `STORE_UNAVAILABLE` within the store's own deadline; whether it
 * took effect is then unknown, and repeating it is safe.
 */
export abstract class JobStore {
  /** Connects. Called once before anything else. */
  abstract open(): Promise<void>;

  /** Lets go of everything that keeps a process alive. Called last; calling it again does nothing. */
  abstract close(): Promise<void>;

  /** Resolves when the store answers. */
  abstract ping(): Promise<void>;

  /**
   * Inserts each job, unless its id or idempotency key is known or a limit is reached: decided in the same atomic step
   * as the insert, in this order. A key wins over an id. A known one is `existing` when name, owner and fingerprint are
   * the same, else a `conflict`. `queueLimit` bounds the jobs of all names that wait, a job's own `queueLimit` those of
   * its name. Repeating a submission that has an id or key inserts nothing.
   */
  abstract submit(jobs: readonly NewJob[], limits: { queueLimit: number }): Promise<Submission[]>;

  /**
   * Takes up to `limit` jobs, only of the names in `slots` and at most as many of each. Within a name: larger priority
   * first, then earlier due time, then order of submission. Names take turns, so a long backlog of one does not starve
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

  /** Queues failed and canceled jobs anew. Answers each job as it now stands, or null for an unknown one. */
  abstract rerun(ids: readonly string[]): Promise<(JobRecord | null)[]>;

  /**
   * Takes up to `limit` jobs from claims whose lease has run out: queued again in their old place, or failed with
   * `WORKER_CRASHED` at their `maxCrashes`-th crash. Answers the jobs as they now stand; fewer than `limit` means
   * there are no more.
   */
  abstract recover(options: { limit: number; maxCrashes: number }): Promise<JobRecord[]>;

  /** Removes up to `limit` finished jobs past their retention. Answers how many; fewer than `limit` means no more. */
  abstract purge(limit: number): Promise<number>;

  /** The jobs as they stand, or null for an unknown one. */
  abstract find(ids: readonly string[]): Promise<(JobRecord | null)[]>;

  /**
   * A page of jobs in no particular order. A job that stays as it is is listed exactly once over all pages. One that
   * moves on meanwhile may be listed again, as it then stands; one that goes back to wait may be passed over. A page may be
   * short, even empty, before the end: only a null cursor is the end.
   */
  abstract list(filter: JobFilter, page: { limit: number; cursor?: string }): Promise<JobPage>;

  /** One entry for each name and status that has jobs. Costs nothing per job. */
  abstract stats(): Promise<QueueStats[]>;

  /**
   * Calls the listener after each change that the topic names, from when the promise resolves until the returned
   * function is called. Events may be merged, never invented; read the job for the truth.
   */
  abstract watch(topic: Topic, listener: (change: JobChange) => void): Promise<() => void>;

  /**
   * Resolves when a job of one of the names may be claimable, at once if one is, and when the signal is aborted. One
   * new job wakes one waiter; where that one vanished with its process, the next `recover` wakes another. Never rejects:
   * where the store cannot be reached it resolves when it may be again.
   */
  abstract waitForWork(names: readonly string[], signal: AbortSignal): Promise<void>;
}
