import { AsyncEndpointsError } from './job/errors.js';

/**
 * JSON text of a request.
 *
 * @throws AsyncEndpointsError `PAYLOAD_TOO_LARGE` where it is nested too deeply: a client's JSON can be read some thousand
 * levels deep, but to write it again the stack is too small; `PAYLOAD_NOT_SERIALIZABLE` where it holds what JSON cannot
 */
export function writeJson(value: unknown, replacer?: (key: string, value: unknown) => unknown): string | undefined {
  try {
    return JSON.stringify(value, replacer);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw new AsyncEndpointsError('PAYLOAD_NOT_SERIALIZABLE', undefined, { cause });
    throw new AsyncEndpointsError('PAYLOAD_TOO_LARGE', 'The request is nested too deeply.', { cause });
  }
}
