import type { JobError } from './job.js';
import { describeThrown, type HttpFailure, httpFailureOf, propertyOf, textPropertyOf } from './thrown.js';

/**
 * Every code that this library itself gives an error, a problem or a failed job, and what it means.
 * Codes are never reused. `docs/errors.md` lists them with what to do.
 */
export const ERROR_CODES = {
  INVALID_JOB_ID: 'The job id is not a UUID.',
  INVALID_REQUEST_ID: 'The X-Async-Request-Id header is not a UUID.',
  INVALID_IDEMPOTENCY_KEY: 'The Idempotency-Key header is not 1 to 255 visible characters, in quotes or bare.',
  JOB_NOT_FOUND: 'There is no such job.',
  SCHEDULE_NOT_FOUND: 'There is no such schedule.',
  JOB_FAILED: 'The job failed.',
  JOB_CANCELED: 'The job was canceled.',
  JOB_ALREADY_FINISHED: 'The job has already finished.',
  JOB_NOT_RERUNNABLE: 'Only a failed or canceled job can be rerun.',
  REQUEST_ID_CONFLICT: 'The request id was used for a different request.',
  IDEMPOTENCY_KEY_REUSED: 'The idempotency key was used for a different request.',
  ALREADY_SUBMITTED: 'The same request was accepted before.',
  QUEUE_FULL: 'The queue is full.',
  TOO_MANY_WAITS: 'The process holds as many answers and streams as it may.',
  TOO_MANY_WAITS_OF_OWNER: 'The caller has as many held answers and streams as it may.',
  STORE_UNAVAILABLE: 'The job store cannot be reached.',
  STORE_FULL: 'The job store is full.',
  STORE_READ_ONLY: 'The job store accepts no changes.',
  SHUTTING_DOWN: 'The application is shutting down.',
  UNSUPPORTED_MEDIA_TYPE: 'The content type is not supported.',
  PAYLOAD_TOO_LARGE: 'The request is larger than allowed.',
  PAYLOAD_NOT_SERIALIZABLE: 'The request cannot be written as JSON.',
  INTERNAL_ERROR: 'Something went wrong.',
  RESULT_TOO_LARGE: 'The result is larger than allowed.',
  RESULT_NOT_SERIALIZABLE: 'The result cannot be written as JSON.',
  PAYLOAD_NOT_READABLE: 'The stored payload cannot be read.',
  PAYLOAD_INVALID: 'The payload is not valid for its class.',
  JOB_TIMEOUT: 'The job ran longer than its timeout.',
  WORKER_CRASHED: 'The workers of the job died too often.',
  CLAIM_LOST: 'Another worker may have taken over the job.',
  INVALID_OPTION: 'An option has a wrong value.',
  INVALID_HANDLER: 'A job handler is malformed, missing, or there are two for one job.',
  INVALID_ENDPOINT: 'A method cannot be an async endpoint.',
  PERMANENT_JOB_ERROR: 'The handler failed the job for good and gave no code.',
  RETRY_JOB_ERROR: 'The handler asked for a retry and gave no code.',
  UNKNOWN_ERROR: 'The handler threw a value that has no code and no name.',
  NO_ANSWER: 'The server did not answer the client.',
  UNEXPECTED_ANSWER: 'The client cannot read the answer of the server.',
  WAIT_TIMEOUT: 'The job has not finished within the time that the client waits.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An error of this library. Its `code` identifies it. */
export class AsyncEndpointsError extends Error {
  override readonly name = 'AsyncEndpointsError';
  /** Further members of the problem that clients get. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    readonly code: ErrorCode,
    message: string = ERROR_CODES[code],
    options: { cause?: unknown; details?: Record<string, unknown> | undefined } = {},
  ) {
    super(message, options);
    this.details = options.details ?? {};
  }
}

/** The application passed a wrong value. @param message what was wrong, and what was expected */
export function invalidOption(message: string, options: { cause?: unknown } = {}): AsyncEndpointsError {
  return new AsyncEndpointsError('INVALID_OPTION', message, options);
}

/** A handler is malformed, missing, or one of two for one job. */
export function invalidHandler(message: string): AsyncEndpointsError {
  return new AsyncEndpointsError('INVALID_HANDLER', message);
}

/** A method cannot be an async endpoint. */
export function invalidEndpoint(message: string): AsyncEndpointsError {
  return new AsyncEndpointsError('INVALID_ENDPOINT', message);
}

/** The options of a handler's error. */
export interface JobErrorOptions {
  /** The error behind this one, for the log. */
  cause?: unknown;
  /** A code for programs. Default `PERMANENT_JOB_ERROR` or `RETRY_JOB_ERROR`. */
  code?: string | undefined;
  /** Any JSON; the client sees it. */
  details?: unknown;
}

/** Thrown by a handler: the job fails at once, even when retries are left. */
export class PermanentJobError extends Error {
  override readonly name = 'PermanentJobError';
  readonly code: string;
  readonly details: unknown;

  constructor(message: string, options: JobErrorOptions = {}) {
    super(message, options);
    this.code = options.code ?? ('PERMANENT_JOB_ERROR' satisfies ErrorCode);
    this.details = options.details;
  }
}

/**
 * Thrown by a handler: the job is retried after exactly `afterMs` milliseconds, at most ten years, if a retry is left. When
 * `afterMs` is negative, NaN or infinite, the job's own retry delay applies.
 */
export class RetryJobError extends Error {
  override readonly name = 'RetryJobError';
  readonly code: string;
  readonly details: unknown;

  constructor(
    message: string,
    readonly afterMs: number,
    options: JobErrorOptions = {},
  ) {
    super(message, options);
    this.code = options.code ?? ('RETRY_JOB_ERROR' satisfies ErrorCode);
    this.details = options.details;
  }
}

const MESSAGE_LIMIT = 2_000;
const DETAILS_LIMIT = 10_000;

/**
 * What is kept of anything thrown: its code (or its class name as one), its message and its `details`, cut to a bounded size;
 * never its stack. Marked as internal unless it is meant for clients: the errors of this library, HTTP exceptions, and errors
 * with `expose: true`.
 */
export function toJobError(thrown: unknown): JobError {
  const http = httpFailureOf(thrown);
  return {
    code:
      asCode(propertyOf(thrown, 'code')) ?? asCode(propertyOf(thrown, 'name')) ?? ('UNKNOWN_ERROR' satisfies ErrorCode),
    message: (textPropertyOf(thrown, 'message') ?? describeThrown(thrown)).slice(0, MESSAGE_LIMIT),
    ...detailsOf(propertyOf(thrown, 'details') ?? (http?.messages && { messages: http.messages })),
    ...(!isForClients(thrown, http) && { internal: true }),
  };
}

function isForClients(thrown: unknown, http: HttpFailure | null): boolean {
  if (propertyOf(thrown, 'expose') === true || http !== null) return true;
  // Its message about the store is for operators.
  if (thrown instanceof AsyncEndpointsError) return thrown.code !== 'STORE_UNAVAILABLE';
  return thrown instanceof PermanentJobError || thrown instanceof RetryJobError;
}

/** What clients are shown of a job's error. */
export function publicError(error: JobError): JobError {
  return error.internal ? { code: error.code, message: 'The job failed because of an internal error.' } : error;
}

/** `TypeError` becomes `TYPE_ERROR`; a code in capitals stays as it is. */
function asCode(value: unknown): string | null {
  if (typeof value !== 'string' || value === '') return null;
  return value
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/\W+/g, '_')
    .toUpperCase()
    .slice(0, 100);
}

function detailsOf(details: unknown): { details?: unknown } {
  if (details === undefined) return {};
  try {
    const json = JSON.stringify(details) as string | undefined;
    return json !== undefined && json.length <= DETAILS_LIMIT ? { details: JSON.parse(json) as unknown } : {};
  } catch {
    return {};
  }
}
