import { createHash } from 'node:crypto';
import { writeJson } from './write-json.js';

/** A digest of what was asked: the same for the same values, whatever the order of their keys. */
export function fingerprint(value: unknown): string {
  const hash = createHash('sha256');
  hash.update(value instanceof Uint8Array ? value : (writeJson(value, inKeyOrder) ?? 'undefined'));
  return hash.digest('base64url');
}

function inKeyOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries);
}
