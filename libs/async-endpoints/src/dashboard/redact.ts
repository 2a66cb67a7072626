import { isCredential } from '../job/credentials.js';
import { exactOf } from './exact-json.js';
import type { DashboardShow } from './options.js';

const MASK = '••••••';
/** JSON may be nested deeper than the stack is. */
const MAX_DEPTH = 200;

/**
 * A copy of decoded JSON without the values that must not be shown.
 *
 * @param exact the value with its numbers as they are stored (`withExactNumbers`): they replace those that are shown unchanged
 */
export function redacted(
  value: unknown,
  { redact }: DashboardShow,
  path: readonly string[] = [],
  exact: unknown = value,
): unknown {
  const key = path.at(-1);
  if (key !== undefined && isCredential(key)) return MASK;
  const shown = redact ? shownBy(redact, path, value) : value;
  if (typeof shown !== 'object' || shown === null) return exactOf(shown, exact);
  if (path.length >= MAX_DEPTH) return '…';
  const below = (name: string, item: unknown) =>
    redacted(item, { redact }, [...path, name], (exact as Record<string, unknown> | null | undefined)?.[name]);
  if (Array.isArray(shown)) return shown.map((item, index) => below(String(index), item));
  // From entries: a key `__proto__` stays a key.
  return Object.fromEntries(Object.entries(shown).map(([name, item]) => [name, below(name, item)]));
}

function shownBy(redact: NonNullable<DashboardShow['redact']>, path: readonly string[], value: unknown): unknown {
  try {
    return redact(path, value);
  } catch {
    return MASK;
  }
}
