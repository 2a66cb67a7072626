import { AsyncEndpointsError } from '../job/errors.js';

const MESSAGE_LIMIT = 500;
const DEEPEST_CAUSE = 3;

/**
 * The error for a call that the store could not complete. Every error of a driver leaves a store through this function, because
 * drivers put their arguments into their errors: passwords, payloads and results.
 *
 * @param message replaces the default message of `STORE_UNAVAILABLE`
 */
export function unavailable(cause: unknown, message?: string): AsyncEndpointsError {
  if (cause instanceof AsyncEndpointsError && message === undefined) return cause;
  return new AsyncEndpointsError('STORE_UNAVAILABLE', message, { cause: withoutArguments(cause) });
}

/** A new error with the driver's name, code and message, without the arguments of the call. */
export function withoutArguments(error: unknown, depth = 1): Error {
  const { name, code, message, inner } = read(error);
  const cause = inner === undefined || depth === DEEPEST_CAUSE ? undefined : withoutArguments(inner, depth + 1);
  const text = withoutValues(message) || cause?.message || 'The driver gave no reason.';
  const clean = new Error(text, cause && { cause });
  Object.defineProperty(clean, 'name', { value: name, enumerable: false });
  clean.stack = `${name}: ${text}`; // a driver's own stack begins with its message
  return code === undefined ? clean : Object.assign(clean, { code });
}

/** Redis quotes the arguments of an unknown command, and Postgres quotes a value that it cannot parse. */
function withoutValues(message: string): string {
  return message
    .replace(/, with args beginning with:[\s\S]*$/, '')
    .replace(/: "[\s\S]*"/, '')
    .slice(0, MESSAGE_LIMIT);
}

interface Parts {
  readonly name: string;
  readonly code?: string | undefined;
  readonly message: string;
  readonly inner?: unknown;
}

/** Drivers throw errors of any shape, and a custom store may use any driver. */
function read(error: unknown): Parts {
  try {
    if (typeof error !== 'object' || error === null) return { name: 'Error', message: '' };
    const { name, code, message, cause, errors, lastNodeError } = error as Record<string, unknown>;
    const first = Array.isArray(errors) ? (errors as unknown[])[0] : undefined;
    return {
      name: typeof name === 'string' ? name : 'Error',
      code: typeof code === 'string' ? code : undefined,
      message: typeof message === 'string' ? message : '',
      inner: cause ?? lastNodeError ?? first,
    };
  } catch {
    return { name: 'Error', message: '' };
  }
}
