import { AsyncEndpointsError, type ErrorCode } from '../../job/errors.js';
import { withoutArguments } from '../../store/unavailable.js';

/**
 * How Redis says that it refuses a write: its memory is full; its disk is, it is a replica, or its replicas are away. Or that it
 * refuses a connection. With what an operator is told and, where the code does not say it, whoever made the call.
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

/** Whether Redis accepts changes, as far as it has said; tells of each turn once. */
export class Refusals {
  #present: ErrorCode | undefined;

  constructor(private readonly notify: (message: string) => void) {}

  /** The error for what Redis answered, or undefined where it refused nothing. */
  errorOf(cause: unknown): AsyncEndpointsError | undefined {
    if (!(cause instanceof Error)) return undefined;
    const refusal = REFUSALS.find(([pattern]) => pattern.test(cause.message));
    if (!refusal) return undefined;
    const [, code, what, message] = refusal;
    if (this.#present !== code) this.notify(`${what}, until this is mended: ${cause.message}`);
    this.#present = code;
    return new AsyncEndpointsError(code, message, { cause: withoutArguments(cause) });
  }

  /** A write that needs memory was accepted. */
  accepted(): void {
    if (this.#present) this.notify('Redis accepts new jobs and all changes again');
    this.#present = undefined;
  }
}

/** Redis may close a connection that it refuses before it has said why. */
export function withHint(error: Error): Error {
  if (/\b(EPIPE|ECONNRESET)\b|Connection is closed/.test(error.message))
    error.message += ' (it closes new connections: is maxclients reached?)';
  return error;
}
