import { VERSION_NEUTRAL } from '@nestjs/common';
import { isCredential } from './job/credentials.js';

/** What values an option takes, in words and as a test. */
export interface Rule<T> {
  readonly expected: string;
  accepts(value: unknown): value is T;
}

export function rule<T>(expected: string, accepts: (value: unknown) => boolean): Rule<T> {
  return { expected, accepts: accepts as Rule<T>['accepts'] };
}

export function integer(from: number, to: number): Rule<number> {
  return rule(`an integer from ${from} to ${to}`, (value) => Number.isInteger(value) && isWithin(value, from, to));
}

export function number(from: number, to: number): Rule<number> {
  return rule(`a number from ${from} to ${to}`, (value) => isWithin(value, from, to));
}

export function text(from: number, to: number): Rule<string> {
  return rule(`a text of ${from} to ${to} characters`, (v) => typeof v === 'string' && isWithin(v.length, from, to));
}

export function pattern(matching: RegExp, expected: string): Rule<string> {
  return rule(expected, (value) => typeof value === 'string' && matching.test(value));
}

export function flag(): Rule<boolean> {
  return rule('true or false', (value) => typeof value === 'boolean');
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
