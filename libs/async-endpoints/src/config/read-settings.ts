import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { AsyncEndpointsError } from '../job/errors.js';
import type { Role } from '../options/options.js';
import { oneOf } from '../options/rules.js';
import type { AsyncEndpointsSettings } from './async-endpoints-settings.js';
import { SETTINGS } from './settings.js';
import {
  type Environment,
  fromCode,
  fromFile,
  fromVariables,
  isVariable,
  readEnvFiles,
  type Source,
} from './sources.js';
import { CONFIG_FILE, type Layer, validate, wrong } from './validate.js';

export interface ConfigOptions {
  /** Defaults of the application. Files and variables override them. */
  defaults?: AsyncEndpointsSettings | undefined;
  /** Options that only code may set. They override everything. */
  overrides?: AsyncEndpointsSettings | undefined;
  /** The roles that this application can have, the default first. Default: all roles. */
  roles?: readonly [Role, ...Role[]] | undefined;
  /** Like `envFilePath` of `ConfigModule.forRoot`. Default `.env`. */
  envFilePath?: string | string[] | undefined;
  /** Variables of the application that begin with `ASYNC_`. Other unknown ones are refused. */
  otherVariables?: readonly string[] | undefined;
  /** Default `process.env`. */
  env?: Environment | undefined;
  /** The base of relative paths. Default: the working directory. */
  cwd?: string | undefined;
}

/** All options, defaults included. */
export type ResolvedSettings = AsyncEndpointsSettings &
  Required<Pick<AsyncEndpointsSettings, 'role' | 'isGlobal' | 'http'>>;

/**
 * @param commandLine options of a command line, which override everything; a tool does not know the variables of the application,
 * so it ignores unknown ones
 * @throws AsyncEndpointsError `INVALID_OPTION` that names every mistake
 */
export function readSettings(options: ConfigOptions, commandLine?: AsyncEndpointsSettings): ResolvedSettings {
  const layers = sourcesOf(options, commandLine).map(validate);
  const values = new Map([...SETTINGS.values()].map(({ key, initial }) => [key, initial()]));
  values.set('role', options.roles?.[0] ?? 'all');
  for (const { stated } of layers) for (const [key, { value }] of stated) values.set(key, value);
  const states = (key: string) => layers.some(({ stated }) => stated.has(key));
  if (!states('store')) values.set('store', usualStore(values.get('role') === 'all', states));
  const role = mistakenRole(layers, options.roles);
  // With an invalid role, the required store is unknown.
  const store = role.length > 0 ? [] : mistakenStore(layers, values);
  refuse([...layers.flatMap(({ mistakes }) => mistakes), ...role, ...store]);
  return treeOf(values) as ResolvedSettings;
}

function usualStore(isWhole: boolean, states: (key: string) => boolean): string {
  const [stated] = Object.entries(PLACES).find(([, key]) => states(key)) ?? [];
  return stated ?? (isWhole ? 'memory' : 'redis');
}

/** The sources; later ones override earlier ones. */
function sourcesOf(options: ConfigOptions, commandLine?: AsyncEndpointsSettings): Source[] {
  const { env = process.env, cwd = process.cwd(), envFilePath = '.env', otherVariables = [] } = options;
  const fileVariables = readEnvFiles([envFilePath].flat().map((path) => resolve(cwd, path)));
  // ConfigModule copies variables of `.env` into the environment. Count them once.
  const variables = Object.fromEntries(Object.entries(env).filter(([name, said]) => said !== fileVariables[name]));
  const isOther = (name: string) =>
    [...otherVariables, CONFIG_FILE].includes(name) || (commandLine !== undefined && !isVariable(name));
  const path = configFile({ ...fileVariables, ...env }, cwd);
  return [
    fromCode('the defaults in code', options.defaults),
    ...(path === null ? [] : [fromFile(path)]),
    fromVariables([envFilePath].flat().join(' or '), fileVariables, cwd, isOther),
    fromVariables('the environment', variables, cwd, isOther),
    fromCode('the overrides in code', options.overrides),
    fromCode('the command line', commandLine),
  ];
}

/** The path of the configuration file. A file named by ASYNC_CONFIG_FILE must exist; the default one need not. */
function configFile(env: Environment, cwd: string): string | null {
  const named = env[CONFIG_FILE]?.trim();
  if (named) return resolve(cwd, named);
  const path = resolve(cwd, 'config', `${env['NODE_ENV']?.trim() || 'development'}.json`);
  return existsSync(path) ? path : null;
}

function mistakenRole(layers: readonly Layer[], roles: ConfigOptions['roles']): string[] {
  const { where, stated } = layers.findLast((layer) => layer.stated.has('role')) ?? {};
  const role = stated?.get('role');
  if (!role || !where || !roles || roles.includes(role.value as Role)) return [];
  return [wrong(role, where, oneOf(...roles).expected)];
}

/** The setting with the address of each store. When several are set, the first one determines the default store. */
const PLACES = { redis: 'redis.url', postgres: 'postgres.url', sqlite: 'sqlite.path' } as const;

function mistakenStore(layers: readonly Layer[], values: ReadonlyMap<string, unknown>): string[] {
  const { where, stated } = layers.findLast((layer) => layer.stated.has('store')) ?? {};
  const store = stated?.get('store');
  const shared = `redis, postgres or sqlite: other processes cannot see the memory of role ${String(values.get('role'))}`;
  if (store && where && store.value === 'memory' && values.get('role') !== 'all') return [wrong(store, where, shared)];
  const key = PLACES[values.get('store') as keyof typeof PLACES];
  const isMissing = key !== undefined && values.get(key) === undefined;
  // Without a stated store, an address that was refused would have determined it.
  const deciding = ['role', ...(store ? [key] : Object.values(PLACES))];
  if (!isMissing || layers.some(({ refused }) => deciding.some((one) => refused.has(one)))) return [];
  const { variable, expected } = SETTINGS.get(key) as { variable: string; expected: string };
  return [`${variable} (${key}) is missing; expected ${expected}`];
}

function refuse(mistakes: readonly string[]): void {
  if (mistakes.length === 0) return;
  const list = mistakes.map((mistake) => `\n  - ${mistake}`).join('');
  const wrongs = mistakes.length === 1 ? `is wrong: ${mistakes[0]}` : `has ${mistakes.length} mistakes:${list}`;
  const message = `The configuration ${wrongs}`;
  const error = new AsyncEndpointsError('INVALID_OPTION', message, { details: { mistakes } });
  // The place in the code does not help to correct a configuration.
  error.stack = `${error.name}: ${message}`;
  throw error;
}

function treeOf(values: ReadonlyMap<string, unknown>): object {
  const tree: Record<string, unknown> = {};
  for (const [key, value] of values) {
    const path = key.split('.');
    const name = path.pop() as string;
    const node = path.reduce((parent, part) => (parent[part] ??= {}) as Record<string, unknown>, tree);
    if (value !== undefined) node[name] = value;
  }
  return tree;
}
