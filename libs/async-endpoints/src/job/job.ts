/** Every status a job can have, in lifecycle order. */
export const JOB_STATUSES = ['Queued', 'Scheduled', 'InProgress', 'Completed', 'Failed', 'Canceled'] as const;

/**
 * Where a job stands.
 *
 * - `Queued`: waiting for a worker
 * - `Scheduled`: waiting for its scheduled time (a delayed submission, or a retry)
 * - `InProgress`: claimed by a worker
 * - `Completed`, `Failed`, `Canceled`: terminal; kept for its retention, then deleted
 */
export type JobStatus = (typeof JOB_STATUSES)[number];

/** The statuses of a terminal job. */
export type TerminalStatus = 'Completed' | 'Failed' | 'Canceled';

export function isTerminal(status: JobStatus): status is TerminalStatus {
  return status === 'Completed' || status === 'Failed' || status === 'Canceled';
}

/** Whether a job in this status waits for a worker or for its scheduled time. */
export function isWaiting(status: JobStatus): boolean {
  return status === 'Queued' || status === 'Scheduled';
}

/** The error of an attempt. It has no stack trace: that is in the log only. */
export interface JobError {
  /** A stable code for programs, such as `UPSTREAM_TIMEOUT`. */
  readonly code: string;
  /** Meant for people. */
  readonly message: string;
  /** The `details` of the handler's error: any JSON. */
  readonly details?: unknown;
  /** Whether clients see the code only: the message may name hosts, tables and the like. */
  readonly internal?: boolean;
}

/** An attempt that ended without success. */
export interface FailedAttempt {
  /** The number of the attempt, from 1. Crashes count; a rerun begins at 1. */
  readonly number: number;
  /** The worker that made it. */
  readonly worker: string;
  readonly startedAt: number;
  readonly endedAt: number;
  /** `retry`: another attempt follows. `fail`: it was the last. `crash`: the worker died. */
  readonly outcome: 'retry' | 'fail' | 'crash';
  /** Without `details`; the message has at most 500 characters. */
  readonly error: JobError;
}

/** The progress that a running job reports. */
export interface JobProgress {
  /** From 0 to 1. */
  readonly fraction: number;
  readonly message: string | null;
}

/** How long a terminal job is kept, in milliseconds, by status. */
export interface Retention {
  /** Jobs that completed. */
  readonly completedMs: number;
  /** Jobs that failed. */
  readonly failedMs: number;
  /** Jobs that were canceled. */
  readonly canceledMs: number;
}

/**
 * The default: one day, and seven days for failed jobs. The Redis store does not write it into records, so a change of this value
 * changes the retention of stored jobs.
 */
export const DEFAULT_RETENTION: Retention = Object.freeze({
  completedMs: 86_400_000,
  failedMs: 7 * 86_400_000,
  canceledMs: 86_400_000,
});

/**
 * A job as it is stored. Records are immutable; every change makes a new one. Times are milliseconds since the epoch by the store's
 * clock. Encoded values are JSON text that stores do not parse.
 */
export interface JobRecord {
  /** A lower-case UUID. */
  readonly id: string;
  /** The name that the job was defined with. Every name has its own queue. */
  readonly name: string;
  readonly status: JobStatus;
  /** The owner, or `null` for none. */
  readonly owner: string | null;
  /** Larger runs first among the jobs of its name. */
  readonly priority: number;
  /** Failed attempts that were followed by another. */
  readonly retryCount: number;
  readonly maxRetries: number;
  /** How many workers died while they ran this job. Failed attempts are counted separately. */
  readonly crashes: number;
  readonly createdAt: number;
  /** The time before which the job is not claimable. It orders jobs of one priority. */
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
  /** When the lease expires unless it is renewed, while in progress. */
  readonly leaseUntil: number | null;
  readonly retention: Retention;
  /** A digest of the submission, when it has an id or an idempotency key; `null` otherwise. */
  readonly fingerprint: string | null;
  /** Grows with every change that a reader of the job can see. */
  readonly version: number;
}

/** A job as applications see it: the record, with its result decoded. */
export interface Job<TResult = unknown> extends Omit<JobRecord, 'result'> {
  /** The result of the handler; `null` before the end, and for a handler that returns nothing. */
  readonly result: TResult | null;
}

/** An accepted job. `replayed` is true when the same submission was accepted before. */
export type SubmittedJob<TResult = unknown> = Job<TResult> & { readonly replayed: boolean };

/** Marks jobs whose id is parsed. To check it again would take a twentieth of the time of a submission. */
export const PARSED_ID: unique symbol = Symbol('The id is parsed');

/** A job to insert. It has durations and no times: the store has the clock. */
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
  /** The queue limit of this name; `null` for none. */
  readonly queueLimit: number | null;
  /** The queue of this name is full when its waiting jobs take this many bytes. Absent or `null`: no limit. */
  readonly queueBytes?: number | null | undefined;
}

/** One value of a request; the names of a {@link RequestSnapshot} keep their order and may repeat. */
export type RequestValue = readonly [name: string, value: string];

/** The values of the submitting HTTP request that the handler can read. */
export interface RequestSnapshot {
  readonly headers: readonly RequestValue[];
  readonly routeParams: readonly RequestValue[];
  readonly queryParams: readonly RequestValue[];
}

/** A position in a distributed trace, as in W3C Trace Context. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** Values of the submitting code's context, by name: any JSON. */
export type CarriedValues = Readonly<Record<string, unknown>>;

/** The input of a handler. It is stored beside the record, and only a claim reads it. */
export interface StoredPayload {
  /** The payload; absent when the job takes none. Named `request` in stored data, for compatibility. */
  readonly request?: unknown;
  readonly snapshot?: RequestSnapshot;
  /** The trace of the submission, when it was traced. */
  readonly trace?: TraceContext;
  /** For a recurring job: its schedule and its instant, in ms since the epoch. */
  readonly schedule?: { readonly name: string; readonly at: number };
  /** The values that `context.names` names, when there are any. */
  readonly context?: CarriedValues;
}

/** A claimed job. */
export interface Claim {
  readonly job: JobRecord;
  /** The {@link StoredPayload} as JSON text. */
  readonly payload: string;
  /** Proves ownership to `renew` and `settle`; larger than every earlier fence of this job. */
  readonly fence: number;
}
