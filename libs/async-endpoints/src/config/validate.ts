import { ValidateBy, validateSync } from 'class-validator';
import { didYouMean } from '../options/did-you-mean.js';
import { SEED_NAMES } from './seed-names.js';
import { SETTINGS } from './settings.js';
import type { Source, Statement } from './sources.js';

/** A source after validation: its values, by the key of the option. */
export interface Layer {
  readonly where: string;
  readonly stated: ReadonlyMap<string, Statement>;
  /** Keys with an invalid value. */
  readonly refused: ReadonlySet<string>;
  readonly mistakes: readonly string[];
}

/** Has a property, validated by class-validator, for every key that a source may set. */
class Stated {
  readonly [key: string]: unknown;
}

const RULE = 'rule';
const UNKNOWN = 'whitelistValidation';
const VARIABLES = [...SETTINGS.values()].map(({ variable }) => variable).filter((variable) => variable !== null);
/** The variable that names the JSON file. It is not an option. */
export const CONFIG_FILE = 'ASYNC_CONFIG_FILE';

for (const [key, { accepts, expected }] of [...SETTINGS, ...SEED_NAMES]) {
  const validator = { validate: accepts, defaultMessage: () => expected };
  ValidateBy({ name: RULE, validator })(Stated.prototype, key);
}

/** Collects the mistakes of a source, and translates its valid values. */
export function validate({ where, statements, mistakes }: Source): Layer {
  const byKey = new Map(statements.map((statement) => [statement.key, statement]));
  const instance = Object.assign(new Stated(), Object.fromEntries(statements.map(({ key, value }) => [key, value])));
  const errors = validateSync(instance, { skipUndefinedProperties: true, whitelist: true, forbidNonWhitelisted: true });
  const wrongs = errors.map(({ property, constraints = {} }) => {
    const statement = byKey.get(property) as Statement;
    byKey.delete(property);
    return UNKNOWN in constraints ? unknown(statement, where) : wrong(statement, where, constraints[RULE] as string);
  });
  return {
    where,
    stated: translated(byKey.values()),
    refused: new Set(errors.map(({ property }) => property)),
    mistakes: [...mistakes, ...wrongs],
  };
}

/** The message for a value that is not as expected. */
export function wrong({ key, value, name }: Statement, where: string, expected: string): string {
  const setting = SETTINGS.get(key);
  const shown = setting?.isSecret ? 'invalid (a secret is not shown)' : show(value);
  const option = setting?.variable && name.startsWith(setting.variable) ? ` (${key})` : '';
  return `${name} in ${where} is ${shown}; expected ${expected}${option}`;
}

function unknown({ key, name }: Statement, where: string): string {
  const isVariable = key.startsWith('ASYNC_');
  const known = isVariable ? [...VARIABLES, CONFIG_FILE] : [...SETTINGS.keys(), ...SEED_NAMES.keys()];
  const meant = didYouMean(name, known);
  return `${name} in ${where} is not ${isVariable ? 'a variable' : 'an option'}${meant ? `; did you mean ${meant}?` : ' of this library'}`;
}

/** When a source sets an option by two names, the smaller value counts: the options are limits and intervals. */
function translated(statements: Iterable<Statement>): Map<string, Statement> {
  const stated = new Map<string, Statement>();
  for (const statement of statements) {
    const seed = SEED_NAMES.get(statement.key);
    const key = seed?.states.key ?? statement.key;
    const value = seed ? seed.translate(statement.value) : statement.value;
    const other = stated.get(key)?.value as number | undefined;
    if (other === undefined || Number(value) < other) stated.set(key, { ...statement, key, value });
  }
  return stated;
}

/** Shows only the scheme of a URL: it may be an address of Redis under another name, with a password in it. */
function show(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'string' && value.includes('://'))
    return JSON.stringify(`${value.slice(0, value.indexOf('://'))}://…`);
  const shown = (JSON.stringify(value) as string | undefined) ?? String(value);
  return shown.length <= 100 ? shown : `${shown.slice(0, 100)}…`;
}
