/** Every status a job can have, in lifecycle order. */
export const JOB_STATUSES = ['Queued', 'Scheduled', 'InProgress', 'Completed', 'Failed', 'Canceled'] as const;

/**
 * Where a job stands.
 *
 * - `Queued`: waiting for a worker
 * - `Scheduled`: waiting for its due time (a delayed submission, or a retry)
 * - `InProgress`: in a worker's hands
 * - `Completed`, `Failed`, `Canceled`: finished; kept for its retention, then gone
 */
export type JobStatus = (typeof JOB_STATUSES)[number];

/** The statuses of a finished job. */
export type TerminalStatus = 'Completed' | 'Failed' | 'Canceled';

export function isTerminal(status: JobStatus): status is TerminalStatus {
  return status === 'Completed' || status === 'Failed' || status === 'Canceled';
}

/** Whether a job in this status is in a queue: it waits for a worker, or for its time. */
export function isWaiting(status: JobStatus): boolean {
  return status === 'Queued' || status === 'Scheduled';
}

/** What went wrong in the last attempt. Never a stack trace: that goes to the log only. */
export interface JobError {
  /** Stable and meant for programs, such as `UPSTREAM_TIMEOUT`. */
  readonly code: string;
  /** Meant for people. */
  readonly message: string;
  /** Whatever JSON the handler's error carried as `details`. */
  readonly details?: unknown;
  /** Whether clients are shown the code only: the message may name hosts, tables and the like. */
  readonly internal?: boolean;
}

/** An attempt that ended without success. */
export interface FailedAttempt {
  /** Which attempt it was, from 1; crashes count, and a rerun begins anew. */
  readonly number: number;
  /** The worker that made it. */
  readonly worker: string;
  readonly startedAt: number;
  readonly endedAt: number;
  /** `retry`: another follows. `fail`: it was the last. `crash`: its worker vanished. */
  readonly outcome: 'retry' | 'fail' | 'crash';
  /** Without `details`; the message has at most 500 characters. */
  readonly error: JobError;
}

/** How far a running job says it has come. */
export interface JobProgress {
  /** From 0 to 1. */
  readonly fraction: number;
  readonly message: string | null;
}

/** How long a finished job is kept, in milliseconds, by the way it finished. */
export interface Retention {
  /** Jobs that completed. */
  readonly completedMs: number;
  /** Jobs that failed. */
  readonly failedMs: number;
  /** Jobs that were canceled. */
  readonly canceledMs: number;
}

/**
 * The default: a day; seven for failed jobs. The Redis store does not write it into records, so a change of it changes what the
 * records there mean.
 */
export const DEFAULT_RETENTION: Retention = Object.freeze({
  completedMs: 86_400_000,
  failedMs: 7 * 86_400_000,
  canceledMs: 86_400_000,
});

/**
 * An immutable record: what was asked, where it stands, what came of it. Every change makes a new record.
 * Times are milliseconds since the epoch by the store's clock; encoded values are JSON text that no store looks into.
 */
export interface JobRecord {
  /** A lower-case UUID. */
  readonly id: string;
  /** The kind of work; every job name is its own queue. */
  readonly name: string;
  readonly status: JobStatus;
  /** The principal it belongs to, or `null` where nobody was named. */
  readonly owner: string | null;
  /** Larger runs first among the jobs of its name. */
  readonly priority: number;
  /** Failed attempts that were followed by another. */
  readonly retryCount: number;
  readonly maxRetries: number;
  /** How often a worker vanished with this job in its hands; counted apart from failed attempts. */
  readonly crashes: number;
  readonly createdAt: number;
  /** Not claimable before this time; its place in the queue among jobs of one priority. */
  readonly scheduledAt: number;
  readonly startedAt: number | null;
  readonly completedAt: number | null;
  readonly lastUpdatedAt: number;
  readonly progress: JobProgress | null;
  /** The handler's result as JSON text; `null` for none. */
  readonly result: string | null;
  readonly error: JobError | null;
  /** The last 10 attempts that ended without success, the latest last. They stay when a later one succeeds. */
  readonly failedAttempts: readonly FailedAttempt[];
  /** The fence of the latest claim: a number that grows with every claim and every revocation. */
  readonly fence: number;
  /** The worker that holds the claim, while in progress. */
  readonly worker: string | null;
  /** Until when the claim is believed without renewal, while in progress. */
  readonly leaseUntil: number | null;
  readonly retention: Retention;
  /** A digest of what the client asked, where a repeat must be recognised. */
  readonly fingerprint: string | null;
  /** Grows with every change that a reader of the job can see. */
  readonly version: number;
}

/** A job as applications see it: the record, with its result decoded. */
export interface Job<TResult = unknown> extends Omit<JobRecord, 'result'> {
  /** What the handler returned; `null` while there is nothing, and for a handler that returns nothing. */
  readonly result: TResult | null;
}

/** An accepted job; `replayed` where the same submission had been accepted before. */
export type SubmittedJob<TResult = unknown> = Job<TResult> & { readonly replayed: boolean };

/** Marks jobs whose id is known to be one: to look at it again would be a twentieth of a submission. */
export const PARSED_ID: unique symbol = Symbol('The id is parsed');

/** What a submission asks the store to insert. Durations only: the store knows the time. */
export interface NewJob {
  readonly [PARSED_ID]?: true;
  readonly id: string;
  readonly name: string;
  /** The {@link StoredPayload} as JSON text. */
  readonly payload: string;
  readonly owner: string | null;
  readonly priority: number;
  /** 0 to be claimable at once. */
  readonly delayMs: number;
  readonly maxRetries: number;
  readonly retention: Retention;
  readonly fingerprint: string | null;
  /** Makes the submission idempotent within (owner, job name) for `retentionMs`. */
  readonly idempotency: { readonly key: string; readonly retentionMs: number } | null;
  /** The most jobs of this name that may wait; `null` for no limit of its own. */
  readonly queueLimit: number | null;
  /** The queue of this name is full once its waiting jobs take so many bytes. No limit where absent or `null`. */
  readonly queueBytes?: number | null | undefined;
}

/** One value of a request; the names of a {@link RequestSnapshot} keep their order and may repeat. */
export type RequestValue = readonly [name: string, value: string];

/** What the handler may know of the HTTP request that submitted the job. */
export interface RequestSnapshot {
  readonly headers: readonly RequestValue[];
  readonly routeParams: readonly RequestValue[];
  readonly queryParams: readonly RequestValue[];
}

/** Where in a distributed trace something happens, as W3C Trace Context writes it. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** Values of the submitting code's context, by name. What JSON can carry. */
export type CarriedValues = Readonly<Record<string, unknown>>;

/** What a handler is given, stored beside the record and read only by a claim. */
export interface StoredPayload {
  /** The payload; absent where the job takes none. Called `request` in what is stored, which stays. */
  readonly request?: unknown;
  readonly snapshot?: RequestSnapshot;
  /** Of the submission, where it was traced. */
  readonly trace?: TraceContext;
  /** What `context.names` carries, where it carries anything. */
  readonly context?: CarriedValues;
}

/** A job in a worker's hands. */
export interface Claim {
  readonly job: JobRecord;
  /** The {@link StoredPayload} as JSON text. */
  readonly payload: string;
  /** Proves ownership to `renew` and `settle`; larger than every earlier fence of this job. */
  readonly fence: number;
}
