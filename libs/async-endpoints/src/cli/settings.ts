import { existsSync } from 'node:fs';
import type { AsyncEndpointsSettings } from '../config/async-endpoints-settings.js';
import { readSettings, type ResolvedSettings } from '../config/read-settings.js';
import { readNumber } from '../options/rules.js';
import { UsageError } from './exit.js';

/** The options of the command line for the connection to the store. */
export interface StoreFlags {
  readonly store?: string;
  /** The same as `store`, of Redis. */
  readonly redisUrl?: string;
  readonly prefix?: string;
  readonly partitions?: string;
}

/** What `--store` may be, in words. */
export const STORE_URL =
  'redis://, rediss://, redis+cluster:// or redis+sentinel:// with a host, postgres:// with a database, or sqlite: with a file';

/**
 * The store that the command line or the configuration names.
 *
 * @param usual for where neither does
 * @throws AsyncEndpointsError `INVALID_OPTION`
 * @throws UsageError
 */
export function settingsOf(flags: StoreFlags, usual: 'redis' | 'postgres' | 'sqlite' = 'redis'): ResolvedSettings {
  const { redisUrl, prefix, partitions } = flags;
  if (flags.store !== undefined && redisUrl !== undefined)
    throw new UsageError('Give --store or --redis-url, not both.');
  // A number that is none is refused with the words of the configuration.
  const number = partitions === undefined ? undefined : (readNumber(partitions) as number);
  const isRedis = [redisUrl, prefix, partitions].some((flag) => flag !== undefined);
  const named = flags.store === undefined ? { ...(isRedis && { store: 'redis' as const }) } : storeOf(flags.store);
  if (isRedis && named.store !== 'redis') throw new UsageError('--prefix and --partitions are options of Redis.');
  const asked = {
    ...named,
    redis: { url: redisUrl, prefix, partitions: number, ...named.redis, connect: 'fail-fast' },
    postgres: { ...named.postgres, migrate: false, connect: 'fail-fast' },
  } satisfies AsyncEndpointsSettings;
  const settings = readSettings({}, asked);
  return settings.store === 'memory' ? readSettings({}, { ...asked, store: usual }) : settings;
}

/** @throws UsageError where the file of SQLite is not there: opening it would make it */
export function requireFile({ store, sqlite }: ResolvedSettings): void {
  const path = store === 'sqlite' ? sqlite?.path : undefined;
  if (path === undefined || existsSync(path)) return;
  throw new UsageError(`There is no file ${path}: give --store sqlite:<file> or SQLITE_PATH.`);
}

/** @throws UsageError */
function storeOf(url: string): AsyncEndpointsSettings {
  const [, scheme = ''] = /^([a-z][a-z\d+.-]*):/i.exec(url) ?? [];
  if (/^rediss?(\+(cluster|sentinel))?$/.test(scheme)) return { store: 'redis', redis: { url } };
  if (/^postgres(ql)?$/.test(scheme)) return { store: 'postgres', postgres: { url } };
  if (scheme === 'sqlite')
    return { store: 'sqlite', sqlite: { path: url.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '') } };
  // No more than the scheme: the rest may hold a password.
  const given = scheme === '' ? 'no URL' : `${scheme}:…`;
  throw new UsageError(`--store is ${given}; expected ${STORE_URL}.`);
}
