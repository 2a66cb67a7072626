import type { JobProgress, JobRecord, JobStatus } from '../job/job.js';

/** The reply to one submission. */
export type Submission =
  /** Inserted. */
  | { readonly outcome: 'created'; readonly job: JobRecord }
  /** The same request was accepted before; its job in its current state. Nothing was inserted. */
  | { readonly outcome: 'existing'; readonly job: JobRecord }
  /** The id or key belongs to a different request. Nothing was inserted. */
  | { readonly outcome: 'conflict'; readonly on: 'id' | 'key' }
  /** A queue limit is reached, of jobs or of bytes. Nothing was inserted. */
  | { readonly outcome: 'refused'; readonly limit: 'total' | 'name' };

/** The queue limits of all names together. */
export interface QueueLimits {
  /** The most jobs. */
  readonly queueLimit: number;
  /** The queue is full when all waiting jobs take this many bytes. Absent or null: no limit. */
  readonly queueBytes?: number | null | undefined;
}

export interface ClaimRequest {
  /** The id of the claiming worker; written into the job. */
  readonly worker: string;
  /** How long the claim is valid without renewal, in milliseconds. */
  readonly leaseMs: number;
  /** The most claims of all names: the free slots of the worker. */
  readonly limit: number;
  /** The names that the worker handles, each with the most claims of that name. */
  readonly slots: ReadonlyMap<string, number>;
}

export interface Renewal {
  readonly id: string;
  readonly fence: number;
  readonly leaseMs: number;
  /** The progress to write, if any. */
  readonly progress?: JobProgress;
}

/** `held`: the claim is valid. `canceled`: the job was canceled. `lost`: the claim was revoked, or the job is gone. */
export type RenewalReply = 'held' | 'canceled' | 'lost';

export interface RecoverOptions {
  /** The most jobs to recover. */
  readonly limit: number;
  /** The crash at which a job fails, from 1. */
  readonly maxCrashes: number;
  /** Set by periodic sweeps; absent in a single call of `recover`. */
  readonly sweep?: SweepRhythm | undefined;
}

export interface RerunOptions {
  /**
   * Takes only jobs in progress that were claimed at least this long ago, in ms, instead of failed and canceled ones. Their
   * claims are revoked in the same step.
   */
  readonly runningForMs?: number | undefined;
}

/** A job that was recovered from a worker whose lease had ended. */
export interface Recovered {
  /** The job in its new state. */
  readonly job: JobRecord;
  /** The worker that had claimed it. */
  readonly worker: string;
  /** When the lease of that claim ran out, in ms since the epoch by the store's clock. */
  readonly leaseUntil: number;
}

/** How a store recognises that it was unreachable, and how long it then waits. */
export interface SweepRhythm {
  /** The longest time between two sweeps that is normal, in ms. */
  readonly silenceMs: number;
  /** The lease of the worker that sweeps, in ms. */
  readonly leaseMs: number;
}

/** Which jobs to list; every field given must match. */
export interface JobFilter {
  readonly name?: string | undefined;
  readonly status?: JobStatus | undefined;
  readonly owner?: string | undefined;
  /** The code of the job's error: of a failed job, or of the last attempt of one that is tried again. */
  readonly errorCode?: string | undefined;
  /** Only jobs in progress that were claimed at least this long ago, in milliseconds. */
  readonly runningForMs?: number | undefined;
}

export interface JobPage<TJob = JobRecord> {
  readonly jobs: readonly TJob[];
  /** Pass it to get the next page; null on the last page. */
  readonly cursor: string | null;
}

/** How many jobs of one name have one status. */
export interface QueueStats {
  readonly name: string;
  readonly status: JobStatus;
  readonly count: number;
  /** For waiting jobs: their size in bytes, payloads and overhead of the store together. For other jobs: null. */
  readonly bytes: number | null;
  /**
   * For waiting jobs: how long the first job of the name, queued or scheduled, has been claimable; 0 when none is. For jobs in
   * progress: how long ago the first was claimed. For terminal jobs: null.
   */
  readonly oldestAgeMs: number | null;
  /** Whether the name is paused. */
  readonly isPaused: boolean;
}

/** A paused job name. Its jobs are not claimed until it is resumed. */
export interface PausedQueue {
  readonly name: string;
  /** In ms since the epoch, by the store's clock. */
  readonly pausedAt: number;
  /** Who paused the name, as given to `pause`; null when nobody was given. */
  readonly pausedBy: string | null;
}

/** A worker process, as it describes itself. */
export interface WorkerInfo {
  /** `worker.workerId`, which jobs in progress name as their worker. */
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** `worker.version`, set by the application; '' when not set. */
  readonly version: string;
  /** The most jobs that it runs at once. */
  readonly slots: number;
  /** The job names that it handles. */
  readonly names: readonly string[];
  /** When the worker began to claim, in ms since the epoch by its own clock. */
  readonly startedAt: number;
  /** The jobs that ended in it in the last 15 minutes; absent when it does not count them. */
  readonly ended?: EndedJobs;
}

/** How many jobs completed and failed in each of the last 15 minutes. */
export interface EndedJobs {
  /** The latest minute that is counted, in minutes since the epoch by the worker's clock. */
  readonly minute: number;
  /** By job name, each with 15 counts, the latest minute last. Names of which none ended are absent. */
  readonly names: Readonly<Record<string, EndedOfName>>;
}

export interface EndedOfName {
  readonly completed: readonly number[];
  readonly failed: readonly number[];
}

/** A worker process whose registration has not expired. */
export interface LiveWorker extends WorkerInfo {
  /** When it last registered, in ms since the epoch by the store's clock. */
  readonly heartbeatAt: number;
}

/** How much of something is used. */
export interface Usage {
  readonly used: number;
  /** Null when there is no limit, or the store does not know it. */
  readonly limit: number | null;
}

/** What a store uses of its server or disk. A store leaves out what it does not have or know. */
export interface StoreResources {
  /** Bytes of memory of the server; of several servers, the fullest one. */
  readonly memory?: Usage | undefined;
  /** Connections of all clients to the server; of several servers, the one with the most. */
  readonly connections?: Usage | undefined;
  /** Bytes of the disk that holds the store, used by anyone. */
  readonly disk?: Usage | undefined;
  /** Bytes of the store itself on the disk. */
  readonly sizeBytes?: number | undefined;
  /** Bytes of the write-ahead log, which are part of `sizeBytes`. */
  readonly logBytes?: number | undefined;
  /** Changed and deleted rows that the server has not removed yet. */
  readonly deadRows?: number | undefined;
  /** How long the oldest transaction has been open that keeps the server from removing dead rows. */
  readonly oldestTransactionMs?: number | undefined;
  /** Whether notifications of the server arrive in this process; false while it polls. */
  readonly isNotified?: boolean | undefined;
}

/** A job changed. */
export interface JobChange {
  readonly id: string;
  /** Null when the job is gone. */
  readonly status: JobStatus | null;
  readonly version: number;
  /** The job after this change, if the store had it at hand. It saves the subscriber a read. */
  readonly job?: JobRecord;
}

/** The topic of a subscription: changes of one job, or revocations (cancel, recover) of claims of one worker. */
export type Topic = { readonly job: string } | { readonly worker: string };
