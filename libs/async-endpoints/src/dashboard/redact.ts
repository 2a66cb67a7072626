import { isCredential } from '../job/credentials.js';
import type { DashboardShow } from './options.js';

const MASK = '••••••';
/** JSON may be nested deeper than the stack is. */
const MAX_DEPTH = 200;

/** A copy of decoded JSON without the values that must not be shown. */
export function redacted(value: unknown, { redact }: DashboardShow, path: readonly string[] = []): unknown {
  const key = path.at(-1);
  if (key !== undefined && isCredential(key)) return MASK;
  const shown = redact ? shownBy(redact, path, value) : value;
  if (typeof shown !== 'object' || shown === null) return shown;
  if (path.length >= MAX_DEPTH) return '…';
  if (Array.isArray(shown)) return shown.map((item, index) => redacted(item, { redact }, [...path, String(index)]));
  // From entries: a key `__proto__` stays a key.
  return Object.fromEntries(
    Object.entries(shown).map(([name, item]) => [name, redacted(item, { redact }, [...path, name])]),
  );
}

function shownBy(redact: NonNullable<DashboardShow['redact']>, path: readonly string[], value: unknown): unknown {
  try {
    return redact(path, value);
  } catch {
    return MASK;
  }
}
