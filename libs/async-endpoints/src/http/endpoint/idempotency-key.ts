import { createHash } from 'node:crypto';
import { AsyncEndpointsError } from '../../job/errors.js';
import type { HttpRequest } from '../../options/options.js';

/** A string of RFC 9651: in quotes, with a backslash before each quote and backslash. */
const QUOTED = /^"(?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\])+"$/;
const BARE = /^[\x21\x23-\x7e]+$/;
const LONGEST = 255;

/**
 * The key that makes the submission idempotent. A key in quotes equals the key without them.
 *
 * @throws AsyncEndpointsError `INVALID_IDEMPOTENCY_KEY`
 */
export function idempotencyKeyOf({ headers }: HttpRequest): string | undefined {
  const header = headers['idempotency-key'];
  if (header === undefined) return undefined;
  const text = String(header);
  const key = QUOTED.test(text) ? text.slice(1, -1).replaceAll(/\\(.)/g, '$1') : text;
  if (key.length <= LONGEST && (key !== text || BARE.test(text))) return key;
  throw new AsyncEndpointsError('INVALID_IDEMPOTENCY_KEY');
}

/**
 * The key that the store gets, with its scope. The scope is hashed, because it may be a credential of the caller. A key without a
 * scope begins with a colon, so no caller can write the digest of another.
 */
export function scopedKey(scope: string | null, key: string): string {
  return `${scope === null ? '' : createHash('sha256').update(scope).digest('base64url')}:${key}`;
}
