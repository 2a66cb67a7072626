import { createHash } from 'node:crypto';
import { AsyncEndpointsError } from '../../job/errors.js';
import type { HttpRequest } from '../../options/options.js';

/** A string of RFC 9651: in quotes, where a backslash stands before a quote or another backslash. */
const QUOTED = /^"(?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\])+"$/;
const BARE = /^[\x21\x23-\x7e]+$/;
const LONGEST = 255;

/**
 * The key that makes the submission idempotent. In quotes or without it is the same key.
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
 * The key as the store gets it, within a scope. Only a digest of that is stored: it may be a credential of the caller. A key
 * without a scope begins with a colon, so that nobody can spell another's digest in it.
 */
export function scopedKey(scope: string | null, key: string): string {
  return `${scope === null ? '' : createHash('sha256').update(scope).digest('base64url')}:${key}`;
}
