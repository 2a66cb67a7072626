import type { FailedAttempt, JobError, JobProgress, JobStatus } from './job.js';

/** The absolute paths of a job's status routes. */
export interface Links {
  readonly self: string;
  readonly result: string;
  readonly events: string;
}

/** The part of a failed attempt that clients see. It does not name the worker. */
export interface AttemptRepresentation {
  /** Which attempt it was, from 1. */
  readonly number: number;
  readonly startedAt: string;
  readonly endedAt: string;
  /** `retry`: another attempt follows. `fail`: it was the last one. `crash`: its worker died. */
  readonly outcome: FailedAttempt['outcome'];
  readonly error: JobError;
}

/**
 * A job as clients see it. It has no payload, request headers, owner, worker or fence. Times are ISO 8601.
 */
export interface JobRepresentation<TResult = unknown> {
  /** A lower-case UUID. */
  readonly id: string;
  /** The name that the job was defined with. */
  readonly name: string;
  readonly status: JobStatus;
  /** Failed attempts that were followed by another. */
  readonly retryCount: number;
  readonly maxRetries: number;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
  readonly lastUpdatedAt: string;
  /** `null` before the handler has reported any. */
  readonly progress: JobProgress | null;
  /** The result of the handler; `null` before the end, and for a handler that returns nothing. */
  readonly result: TResult | null;
  /** The error of the last attempt; a success clears it. */
  readonly error: JobError | null;
  /** The last 10 attempts that ended without success, the latest last; only where the server's `http.showAttempts` is set. */
  readonly failedAttempts?: readonly AttemptRepresentation[];
  readonly links: Links;
}
