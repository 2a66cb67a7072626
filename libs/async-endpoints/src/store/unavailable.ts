import { AsyncEndpointsError } from '../job/errors.js';
import { propertyOf, textPropertyOf } from '../job/thrown.js';

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
  const name = textPropertyOf(error, 'name') ?? 'Error';
  const code = textPropertyOf(error, 'code');
  const first = propertyOf(propertyOf(error, 'errors'), '0');
  const inner = propertyOf(error, 'cause') ?? propertyOf(error, 'lastNodeError') ?? first;
  const cause = inner === undefined || depth === DEEPEST_CAUSE ? undefined : withoutArguments(inner, depth + 1);
  const text = withoutValues(textPropertyOf(error, 'message') ?? '') || cause?.message || 'The driver gave no reason.';
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
