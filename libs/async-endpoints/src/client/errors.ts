import type { ErrorCode } from '../job/errors.js';
import type { JobError } from '../job/job.js';
import type { JobState } from './job-state.js';

/** The server refused the request, or the client cannot read its response. See `code`. */
export class AsyncEndpointsProblem extends Error {
  override readonly name = 'AsyncEndpointsProblem';
  /** Such as `QUEUE_FULL`; `HTTP_403` when the response has no code; `UNEXPECTED_ANSWER` when the response is not as expected. */
  readonly code: string;
  readonly status: number;
  /** The kind of problem, for people. It is the same for every occurrence. */
  readonly title: string;
  /** This occurrence, for people. */
  readonly detail: string;
  /** The `Retry-After` of the response, in milliseconds; `null` without one. */
  readonly retryAfterMs: number | null;
  /** The body of the response: an object when it was JSON, otherwise its text. */
  readonly body: unknown;

  constructor({ code, status, title, detail, retryAfterMs, body }: ProblemDetails) {
    super(`${code} (${status}): ${detail}`);
    this.code = code;
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.retryAfterMs = retryAfterMs;
    this.body = body;
  }
}

/** The content of an error response. */
export type ProblemDetails = Omit<AsyncEndpointsProblem, keyof Error>;

/** An option or an argument has a wrong value; the message names it, and what was expected. */
export class InvalidOptionError extends Error {
  override readonly name = 'InvalidOptionError';
  readonly code = 'INVALID_OPTION' satisfies ErrorCode;
}

/** No response came, in spite of repeats. The server may have processed the request. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
  readonly code = 'NO_ANSWER' satisfies ErrorCode;

  /** @param attempts how often the request was sent; `cause` is the error of the last attempt */
  constructor(
    request: string,
    readonly attempts: number,
    cause: unknown,
  ) {
    super(`No answer to ${request} after ${attempts} attempt${attempts === 1 ? '' : 's'}`, { cause });
  }
}

/** The job failed for good; `code`, `message` and `details` are those of the handler's last error. */
export class JobFailedError extends Error {
  override readonly name = 'JobFailedError';
  readonly code: string;
  readonly details: unknown;

  constructor(
    readonly state: JobState,
    { code, message, details }: JobError,
  ) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** The job was canceled. */
export class JobCanceledError extends Error {
  override readonly name = 'JobCanceledError';
  readonly code = 'JOB_CANCELED' satisfies ErrorCode;

  constructor(readonly state: JobState) {
    super(`Job ${state.id} was canceled`);
  }
}

/** The job was not terminal within `timeoutMs`. It continues: wait again, come back to it by its id, or cancel it. */
export class JobWaitTimeoutError extends Error {
  override readonly name = 'JobWaitTimeoutError';
  readonly code = 'WAIT_TIMEOUT' satisfies ErrorCode;

  constructor(
    readonly jobId: string,
    readonly timeoutMs: number,
  ) {
    super(`Job ${jobId} has not ended within ${timeoutMs} ms`);
  }
}
