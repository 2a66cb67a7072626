import type { RetryOptions } from './options.js';

/** Status codes after which the same request may succeed, when repeating it is safe. */
const PASSING: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export function isPassing(status: number): boolean {
  return PASSING.has(status);
}

/**
 * How long to wait after a failure, in milliseconds: exponential, half of it random, and never less than `Retry-After`. `null`
 * when `Retry-After` is longer than `maxDelayMs`.
 *
 * @param failures the number of failures in a row, this one included
 */
export function backoffMs(
  failures: number,
  retryAfterMs: number | null,
  { baseDelayMs, maxDelayMs }: Readonly<Required<RetryOptions>>,
  random: () => number = Math.random,
): number | null {
  if (retryAfterMs !== null && retryAfterMs > maxDelayMs) return null;
  const delayMs = Math.min(baseDelayMs * 2 ** Math.min(failures - 1, 40), maxDelayMs) * (1 - random() / 2);
  return Math.max(delayMs, retryAfterMs ?? 0);
}

/** `Retry-After` in milliseconds, from seconds or an HTTP date; `null` when it is missing or invalid. */
export function readRetryAfter(headers: Headers, now: () => number = Date.now): number | null {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  const at = /[a-z]/i.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? null : Math.max(at - now(), 0);
}
