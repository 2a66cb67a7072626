import { oneOfThese } from '../job/bounds.js';
import { isCredential } from '../job/credentials.js';

/** The valid values of an option: a description and a test. */
export interface Rule<T> {
  readonly expected: string;
  accepts(value: unknown): value is T;
  /**
   * Converts text, such as an environment variable, to a value. Without it, only code can set the option. A text that cannot be
   * converted is returned unchanged.
   */
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

export function oneOf<const T extends string>(...values: readonly T[]): Rule<T> {
  return rule(oneOfThese(values), (value) => values.includes(value as T), readText);
}

export function readText(said: string): string {
  return said;
}

export function readNumber(said: string): unknown {
  return /^[+-]?\d+(\.\d+)?$/.test(said) ? Number(said) : said;
}

/** Reads a list of texts, separated by commas. */
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

/** The rule of an optional function of the application. */
export function hook<T>(): Rule<T | undefined> {
  return rule('a function', (value) => value === undefined || isFunction(value));
}

/** The rule of a list of names under which values are stored with a job. */
export function namesToCarry(): Rule<string[]> {
  return rule('a list of names of 1 to 100 characters, none of them a credential', isListOf(isNameToCarry), readList);
}

function isNameToCarry(name: unknown): boolean {
  return typeof name === 'string' && isWithin(name.length, 1, 100) && !isCredential(name);
}

/** The default of an option, and its rule. */
export interface Option<T> extends Rule<T> {
  initial(): T;
}

/** A group of options: the only place that states their types, doc comments, defaults and rules. */
export type Definitions = Readonly<Record<string, Option<unknown>>>;

/** The values of a group of options. */
export type OptionsOf<TDefinitions extends Definitions> = {
  -readonly [Name in keyof TDefinitions]: TDefinitions[Name] extends Option<infer T> ? T : never;
};

/** Some of the options; `undefined` means the default. */
export type Given<TOptions> = { [Name in keyof TOptions]?: TOptions[Name] | undefined };

export function option<T>(initial: () => NoInfer<T>, takes: Rule<T>): Option<T> {
  return { initial, ...takes };
}
