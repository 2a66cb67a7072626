import { type AsyncEndpointsError, invalidOption } from './errors.js';

/** The longest duration that is stored with a job: ten years, in ms. */
export const LONGEST_MS = 10 * 365 * 86_400_000;

/** The longest that a timer of Node can wait, in ms: 24.8 days. A longer one would fire at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Brings a delay that was computed, by a handler for example, into whole milliseconds from 0 to {@link LONGEST_MS}. What is
 * not a number becomes 0.
 */
export function boundedDelay(ms: number): number {
  return Math.round(Math.min(Math.max(ms || 0, 0), LONGEST_MS));
}

/** @throws AsyncEndpointsError `INVALID_OPTION` unless the value is an integer from `from` to `to` */
export function checkInteger(argument: string, value: number, from: number, to: number): number {
  if (Number.isInteger(value) && value >= from && value <= to) return value;
  throw invalid(argument, value, `an integer from ${from} to ${to}`);
}

/** @throws AsyncEndpointsError `INVALID_OPTION` unless the value is a number from `from` to `to`; fractions are allowed */
export function checkNumber(argument: string, value: number, from: number, to: number): number {
  if (typeof value === 'number' && value >= from && value <= to) return value;
  throw invalid(argument, value, `a number from ${from} to ${to}`);
}

/**
 * Returns the duration, at most the longest one; `Infinity` is allowed.
 *
 * @throws AsyncEndpointsError `INVALID_OPTION` for what is not a number from 0
 */
export function checkDuration(argument: string, ms: number, longest = LONGEST_MS): number {
  if (typeof ms === 'number' && ms >= 0) return Math.min(ms, longest);
  throw invalid(argument, ms, 'a number of milliseconds from 0');
}

/**
 * The limit of a page as an integer from 1 to `most`.
 *
 * @throws AsyncEndpointsError `INVALID_OPTION` for what is not a number
 */
export function boundedLimit(limit: number, most: number): number {
  if (typeof limit === 'number' && !Number.isNaN(limit)) return Math.min(Math.max(Math.trunc(limit), 1), most);
  throw invalid('limit', limit, 'a number');
}

/** @throws AsyncEndpointsError `INVALID_OPTION` for a text of more than `most` characters */
export function checkLength(argument: string, text: string | null | undefined, most: number): void {
  if (!text || text.length <= most) return;
  const expected = `expected a text of at most ${most}`;
  throw invalidOption(`${argument} has ${text.length} characters; ${expected}.`);
}

/** @throws AsyncEndpointsError `INVALID_OPTION` for a value that is none of the choices */
export function checkChoice<T extends string>(argument: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value;
  throw invalid(argument, value, oneOfThese(choices));
}

/** The choices as a text: `a, b or c`. */
export function oneOfThese(choices: readonly string[]): string {
  return [choices.slice(0, -1).join(', '), ...choices.slice(-1)].filter(Boolean).join(' or ');
}

/** The error for a value that is not what was expected. */
export function invalid(argument: string, value: unknown, expected: string): AsyncEndpointsError {
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return invalidOption(`${argument} is ${shown}; expected ${expected}.`);
}
