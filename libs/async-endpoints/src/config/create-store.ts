import { AsyncEndpointsError } from '../job/errors.js';
import type { JobStore } from '../store/job-store.js';
import type * as Redis from '../stores/redis/index.js';
import type { SqliteJobStoreOptions } from '../stores/sqlite/options.js';
import type { AsyncEndpointsSettings } from './async-endpoints-settings.js';

/** What is new among the options of the Redis store does not compile before a text can state it, or it stands here. */
type Options = Required<Omit<Redis.RedisJobStoreOptions, 'url' | 'redis' | 'cluster' | 'client' | 'now'>>;

/** The store that the settings name; none for the one in memory, which is the module's default. */
export async function createStore({ store, redis, sqlite }: AsyncEndpointsSettings): Promise<JobStore | undefined> {
  if (typeof store === 'object') return store;
  if (store === 'sqlite') {
    const { SqliteJobStore } = await import('../stores/sqlite/index.js');
    return new SqliteJobStore(sqlite as SqliteJobStoreOptions);
  }
  if (store !== 'redis') return undefined;
  const { url, username, password, sentinelUsername, sentinelPassword, ...rest } = redis ?? {};
  const options: Options = rest as Required<typeof rest>;
  const logins = { username, password, sentinelUsername, sentinelPassword };
  const login = Object.fromEntries(Object.entries(logins).filter(([, text]) => text !== undefined));
  const { RedisJobStore } = await loadRedis();
  return new RedisJobStore({ ...options, url, redis: login });
}

/** Only where it is used, because ioredis is an optional peer. */
async function loadRedis(): Promise<typeof Redis> {
  try {
    return await import('../stores/redis/index.js');
  } catch (cause) {
    const message = 'The store "redis" needs the package ioredis: npm install ioredis.';
    throw new AsyncEndpointsError('INVALID_OPTION', message, { cause });
  }
}
