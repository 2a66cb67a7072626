import { AsyncEndpointsError } from './job/errors.js';

/** JSON text of a request. @throws AsyncEndpointsError as {@link orPayloadError} */
export function writeJson(value: unknown): string | undefined {
  return orPayloadError(() => JSON.stringify(value));
}

/**
 * The JSON text that `write` writes.
 *
 * @throws AsyncEndpointsError `PAYLOAD_TOO_LARGE` where it is nested too deeply: a client's JSON can be read some thousand
 * levels deep, but to write it again the stack is too small; `PAYLOAD_NOT_SERIALIZABLE` where it holds what JSON cannot
 */
export function orPayloadError<T>(write: () => T): T {
  try {
    return write();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw new AsyncEndpointsError('PAYLOAD_NOT_SERIALIZABLE', undefined, { cause });
    throw new AsyncEndpointsError('PAYLOAD_TOO_LARGE', 'The request is nested too deeply.', { cause });
  }
}
