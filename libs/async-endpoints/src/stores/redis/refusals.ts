import { AsyncEndpointsError, type ErrorCode } from '../../job/errors.js';
import { withoutArguments } from '../../store/unavailable.js';

/**
 * The errors with which Redis refuses a write (its memory or disk is full, it is a replica, or its replicas are missing) or a
 * connection. Each with its error code, the notice for operators and, if it differs from the message of the code, the message for
 * the caller.
 */
const REFUSALS: readonly (readonly [RegExp, ErrorCode, string, string?])[] = [
  [
    /\bmax number of clients\b|\bis maxclients reached\b/,
    'STORE_UNAVAILABLE',
    'Redis accepts no new connections',
    'The job store accepts no new connections.',
  ],
  [/\bOOM command not allowed/, 'STORE_FULL', 'Redis is full and refuses new jobs'],
  [/\b(MISCONF|READONLY|NOREPLICAS)\b/, 'STORE_READ_ONLY', 'Redis refuses all changes'],
];

/** Tracks whether Redis accepts changes, and publishes one notice when that changes. */
export class Refusals {
  #present: ErrorCode | undefined;

  constructor(private readonly notify: (message: string) => void) {}

  /** The error for a refusal by Redis; undefined when the cause is not a refusal. */
  errorOf(cause: unknown): AsyncEndpointsError | undefined {
    if (!(cause instanceof Error)) return undefined;
    const refusal = REFUSALS.find(([pattern]) => pattern.test(cause.message));
    if (!refusal) return undefined;
    const [, code, what, message] = refusal;
    if (this.#present !== code) this.notify(`${what}, until this is mended: ${cause.message}`);
    this.#present = code;
    return new AsyncEndpointsError(code, message, { cause: withoutArguments(cause) });
  }

  /** Call it when Redis accepted a write that needs memory. */
  accepted(): void {
    if (this.#present) this.notify('Redis accepts new jobs and all changes again');
    this.#present = undefined;
  }
}

/** Explains what ioredis does not: the failure of several servers, and that Redis may close a connection before it sends the reason. */
export function withHint(error: Error): Error {
  if (error.message.startsWith('All sentinels are unreachable'))
    error.message = 'No Sentinel can be reached, or none knows a master of this name';
  else if (/Failed to refresh slots cache|startup nodes/.test(error.message))
    error.message = 'No node of the cluster can be reached';
  else if (/\b(EPIPE|ECONNRESET)\b|Connection is closed/.test(error.message))
    error.message += ' (it closes new connections: is maxclients reached?)';
  return error;
}
