import type { JobError } from './job.js';

/**
 * Every code that this library itself gives an error, a problem or a failed job, and what it means.
 * Codes are never reused. `docs/errors.md` lists them with what to do.
 */
export const ERROR_CODES = {
  INVALID_JOB_ID: 'The job id is not a UUID.',
  INVALID_REQUEST_ID: 'The X-Async-Request-Id header is not a UUID.',
  INVALID_IDEMPOTENCY_KEY: 'The Idempotency-Key header is not 1 to 255 visible characters, in quotes or bare.',
  JOB_NOT_FOUND: 'There is no such job.',
  JOB_FAILED: 'The job failed.',
  JOB_CANCELED: 'The job was canceled.',
  JOB_ALREADY_FINISHED: 'The job has already finished.',
  JOB_NOT_RERUNNABLE: 'Only a failed or canceled job can be rerun.',
  REQUEST_ID_CONFLICT: 'The request id was used for a different request.',
  IDEMPOTENCY_KEY_REUSED: 'The idempotency key was used for a different request.',
  QUEUE_FULL: 'The queue is full.',
  STORE_UNAVAILABLE: 'The job store cannot be reached.',
  SHUTTING_DOWN: 'The application is shutting down.',
  UNSUPPORTED_MEDIA_TYPE: 'The content type is not supported.',
  PAYLOAD_TOO_LARGE: 'The request is larger than allowed.',
  PAYLOAD_NOT_SERIALIZABLE: 'The request cannot be written as JSON.',
  INTERNAL_ERROR: 'Something went wrong.',
  RESULT_TOO_LARGE: 'The result is larger than allowed.',
  RESULT_NOT_SERIALIZABLE: 'The result cannot be written as JSON.',
  INPUT_NOT_READABLE: 'The stored request cannot be read.',
  JOB_TIMEOUT: 'The job ran longer than its timeout.',
  WORKER_CRASHED: 'The worker that ran the job vanished, as often as is allowed.',
  CLAIM_LOST: 'Another worker may have taken over the job.',
  INVALID_OPTION: 'An option has a wrong value.',
  INVALID_HANDLER: 'A job handler is malformed, missing, or there are two for one job.',
  INVALID_ENDPOINT: 'A method cannot be an async endpoint.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An error of this library, told apart by its `code`. */
export class AsyncEndpointsError extends Error {
  override readonly name = 'AsyncEndpointsError';
  /** What a client is told beside code and message. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    readonly code: ErrorCode,
    message: string = ERROR_CODES[code],
    options: ErrorOptions & { details?: Record<string, unknown> } = {},
  ) {
    super(message, options);
    this.details = options.details ?? {};
  }
}

/** What a handler's error may say beside its message. */
export interface JobErrorOptions extends ErrorOptions {
  /** For programs; `PERMANENT_JOB_ERROR` or `RETRY_JOB_ERROR` where none is given. */
  code?: string;
  /** Any JSON; the client sees it. */
  details?: unknown;
}

/** Thrown by a handler: the job fails at once, however many retries are left. */
export class PermanentJobError extends Error {
  override readonly name = 'PermanentJobError';
  readonly code: string;
  readonly details: unknown;

  constructor(message: string, options: JobErrorOptions = {}) {
    super(message, options);
    this.code = options.code ?? 'PERMANENT_JOB_ERROR';
    this.details = options.details;
  }
}

/** Thrown by a handler: if a retry is left, it comes after exactly `afterMs` milliseconds. */
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
    this.code = options.code ?? 'RETRY_JOB_ERROR';
    this.details = options.details;
  }
}

const MESSAGE_LIMIT = 2_000;
const DETAILS_LIMIT = 10_000;
const LOG_LIMIT = 4_000;

/**
 * What is kept of anything thrown: its code (or its class name as one), its message and its `details`,
 * cut to a bounded size; never its stack.
 */
export function toJobError(thrown: unknown): JobError {
  const { code, name, message, details } = propertiesOf(thrown);
  return {
    code: asCode(code) ?? asCode(name) ?? 'UNKNOWN_ERROR',
    message: (typeof message === 'string' ? message : describe(thrown)).slice(0, MESSAGE_LIMIT),
    ...detailsOf(details),
  };
}

/** Its stack, or whatever else there is to be written to a log, cut in the middle where it is too long. */
export function toLogText(thrown: unknown): string {
  const { stack } = propertiesOf(thrown);
  const text = typeof stack === 'string' ? stack : describe(thrown);
  if (text.length <= 2 * LOG_LIMIT) return text;
  return `${text.slice(0, LOG_LIMIT)} … ${text.slice(-LOG_LIMIT)}`;
}

type Properties = Partial<Record<'code' | 'name' | 'message' | 'details' | 'stack', unknown>>;

/** None where they cannot be read: what a handler throws must not get further than its job. */
function propertiesOf(thrown: unknown): Properties {
  if (typeof thrown !== 'object' || thrown === null) return {};
  try {
    const { code, name, message, details, stack } = thrown as Properties;
    return { code, name, message, details, stack };
  } catch {
    return {};
  }
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

function describe(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return 'An error that cannot be described.';
  }
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
