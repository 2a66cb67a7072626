import { createHash } from 'node:crypto';
import { types } from 'node:util';
import { AsyncEndpointsError } from '../job/errors.js';

/** A digest of a value. The order of keys does not matter. */
export function fingerprint(value: unknown): string {
  const hash = createHash('sha256');
  hash.update(value instanceof Uint8Array ? value : (orPayloadError(() => canonicalJson(value, '')) ?? 'undefined'));
  return hash.digest('base64url');
}

/**
 * The JSON text of a value with sorted keys. A replacer of `JSON.stringify` takes three times as long: a megabyte of small values
 * would delay all other requests.
 */
function canonicalJson(given: unknown, key: string): string | undefined {
  if (typeof given !== 'object' || given === null) return JSON.stringify(given);
  const { toJSON } = given as { toJSON?: unknown };
  const value = typeof toJSON === 'function' ? (toJSON.call(given, key) as unknown) : given;
  if (typeof value !== 'object' || value === null || types.isBoxedPrimitive(value)) return JSON.stringify(value);
  if (Array.isArray(value)) {
    return `[${value.map((item, at) => canonicalJson(item, String(at)) ?? 'null').join(',')}]`;
  }
  let members = '';
  for (const name of namesInOrder(value)) {
    const member = canonicalJson((value as Record<string, unknown>)[name], name);
    if (member !== undefined) members += `${members && ','}${JSON.stringify(name)}:${member}`;
  }
  return `{${members}}`;
}

/** Names that are array indexes come first, as in every object. The other names are mostly in order already. */
function namesInOrder(value: object): readonly string[] {
  const names = Object.keys(value);
  const indexes = names.findIndex((name) => !isIndex(name));
  const others = indexes > 0 ? names.slice(indexes) : names;
  if (indexes < 0 || others.every((name, at) => at === 0 || (others[at - 1] as string) < name)) return names;
  others.sort();
  return indexes > 0 ? [...names.slice(0, indexes), ...others] : others;
}

function isIndex(name: string): boolean {
  return /^(?:0|[1-9]\d{0,9})$/.test(name) && Number(name) < 2 ** 32 - 1;
}

/** JSON text of a request. @throws AsyncEndpointsError as {@link orPayloadError} */
export function writeJson(value: unknown): string | undefined {
  return orPayloadError(() => JSON.stringify(value));
}

/**
 * The JSON text that `write` writes.
 *
 * @throws AsyncEndpointsError `PAYLOAD_TOO_LARGE` for a value that is nested too deeply: JSON of some thousand levels can be
 * parsed, but the stack is too small to write it; `PAYLOAD_NOT_SERIALIZABLE` for a value that JSON cannot represent
 */
function orPayloadError<T>(write: () => T): T {
  try {
    return write();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw new AsyncEndpointsError('PAYLOAD_NOT_SERIALIZABLE', undefined, { cause });
    throw new AsyncEndpointsError('PAYLOAD_TOO_LARGE', 'The request is nested too deeply.', { cause });
  }
}
