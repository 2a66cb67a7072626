import { VERSION_NEUTRAL } from '@nestjs/common';
import { isCredential } from '../job/credentials.js';

/** What values an option takes, in words and as a test. */
export interface Rule<T> {
  readonly expected: string;
  accepts(value: unknown): value is T;
  /** What a text, such as an environment variable, says; without it, only code can say it. A text that says nothing stays. */
  readonly read?: ((text: string) => unknown) | undefined;
}

export function rule<T>(expected: string, accepts: (value: unknown) => boolean, read?: Rule<T>['read']): Rule<T> {
  return { expected, accepts: accepts as Rule<T>['accepts'], read };
}

export function integer(from: number, to: number): Rule<number> {
  const accepts = (value: unknown) => Number.isInteger(value) && isWithin(value, from, to);
  return rule(`an integer from ${from} to ${to}`, accepts, readNumber);
}

export function number(from: number, to: number): Rule<number> {
  return rule(`a number from ${from} to ${to}`, (value) => isWithin(value, from, to), readNumber);
}

export function text(from: number, to: number): Rule<string> {
  const accepts = (value: unknown) => typeof value === 'string' && isWithin(value.length, from, to);
  return rule(`a text of ${from} to ${to} characters`, accepts, readText);
}

export function pattern(matching: RegExp, expected: string): Rule<string> {
  return rule(expected, (value) => typeof value === 'string' && matching.test(value), readText);
}

export function flag(): Rule<boolean> {
  const read = (said: string) => ({ true: true, false: false })[said] ?? said;
  return rule('true or false', (value) => typeof value === 'boolean', read);
}

export function oneOf<const T extends string>(...values: T[]): Rule<T> {
  const expected = [values.slice(0, -1).join(', '), ...values.slice(-1)].filter(Boolean).join(' or ');
  return rule(expected, (value) => values.includes(value as T), readText);
}

export function readText(said: string): string {
  return said;
}

export function readNumber(said: string): unknown {
  return /^[+-]?\d+(\.\d+)?$/.test(said) ? Number(said) : said;
}

/** Separated by commas. */
export function readList(said: string): string[] {
  return said.split(',').map((item) => item.trim());
}

function isWithin(value: unknown, from: number, to: number): boolean {
  return typeof value === 'number' && value >= from && value <= to;
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isListOf(accepts: (item: unknown) => boolean): (value: unknown) => boolean {
  return (value) => Array.isArray(value) && value.every(accepts);
}

export function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

export function isVersion(value: unknown): boolean {
  return typeof value === 'string' || value === VERSION_NEUTRAL || isListOf((v) => typeof v === 'string')(value);
}

export function isHeaderToCapture(name: unknown): boolean {
  return typeof name === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(name) && !isCredential(name);
}

export function isNameToCarry(name: unknown): boolean {
  return typeof name === 'string' && isWithin(name.length, 1, 100) && !isCredential(name);
}
