import { AsyncEndpointsError, ERROR_CODES, type ErrorCode } from '../../job/errors.js';
import type { Reply } from '../../options/options.js';

/** RFC 9457 problem details, with a stable code. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The path of the request. */
  readonly instance: string;
  readonly code: ErrorCode;
  readonly [extension: string]: unknown;
}

/** The status of each code that clients can get. Any other error is a fault of the server, a 500. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  INVALID_JOB_ID: 400,
  INVALID_REQUEST_ID: 400,
  INVALID_IDEMPOTENCY_KEY: 400,
  JOB_NOT_FOUND: 404,
  JOB_ALREADY_FINISHED: 409,
  JOB_FAILED: 409,
  REQUEST_ID_CONFLICT: 409,
  JOB_CANCELED: 410,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  IDEMPOTENCY_KEY_REUSED: 422,
  TOO_MANY_WAITS_OF_OWNER: 429,
  TOO_MANY_WAITS: 503,
  QUEUE_FULL: 503,
  STORE_UNAVAILABLE: 503,
  STORE_FULL: 503,
  STORE_READ_ONLY: 503,
  SHUTTING_DOWN: 503,
};

/** Every code that a problem can have. */
export const PROBLEM_CODES = [...(Object.keys(STATUS) as ErrorCode[]), 'INTERNAL_ERROR'] as const;

export function statusOf(code: ErrorCode): number {
  return STATUS[code] ?? 500;
}

export function isAnswerable(error: unknown): error is AsyncEndpointsError {
  return error instanceof AsyncEndpointsError && STATUS[error.code] !== undefined;
}

/** For responses with text from handlers or clients: a browser must not interpret it as a page. */
export const NOT_SNIFFED = { 'X-Content-Type-Options': 'nosniff' };

export function problemReply(
  error: AsyncEndpointsError,
  instance: string,
  headers: Record<string, string> = {},
): Reply {
  const { code, message, details } = error;
  const status = statusOf(code);
  const type = `urn:async-endpoints:problem:${code.toLowerCase().replaceAll('_', '-')}`;
  const body: Problem = { type, title: ERROR_CODES[code], status, detail: message, instance, code, ...details };
  return { status, headers: { 'Content-Type': 'application/problem+json', ...NOT_SNIFFED, ...headers }, body };
}
