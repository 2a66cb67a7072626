import { invalidOption } from '../job/errors.js';
import type { JobStore } from '../store/job-store.js';
import type { RedisJobStoreOptions } from '../stores/redis/options.js';
import type { SqliteJobStoreOptions } from '../stores/sqlite/options.js';
import type { AsyncEndpointsSettings } from './async-endpoints-settings.js';

/** A new option of the Redis store does not compile until it has a setting, or is listed here. */
type Options = Required<Omit<RedisJobStoreOptions, 'url' | 'redis' | 'cluster' | 'client' | 'now'>>;

/** Creates the store that the settings name; undefined for the memory store, which is the default of the module. */
export async function createStore(settings: AsyncEndpointsSettings): Promise<JobStore | undefined> {
  const { store, redis, postgres, sqlite } = settings;
  if (typeof store === 'object') return store;
  if (store === 'sqlite') {
    const { SqliteJobStore } = await import('../stores/sqlite/index.js');
    return new SqliteJobStore(sqlite as SqliteJobStoreOptions);
  }
  if (store === 'postgres') {
    const { password, ...options } = postgres ?? {};
    const { PostgresJobStore } = await import('../stores/postgres/index.js').catch(missing('postgres', 'pg'));
    return new PostgresJobStore({ ...options, postgres: { password } });
  }
  if (store !== 'redis') return undefined;
  const { url, username, password, sentinelUsername, sentinelPassword, ...rest } = redis ?? {};
  const options: Options = rest as Required<typeof rest>;
  const logins = { username, password, sentinelUsername, sentinelPassword };
  const login = Object.fromEntries(Object.entries(logins).filter(([, text]) => text !== undefined));
  const { RedisJobStore } = await import('../stores/redis/index.js').catch(missing('redis', 'ioredis'));
  return new RedisJobStore({ ...options, url, redis: login });
}

/** A store is loaded only when it is used, because its driver is an optional peer dependency. */
function missing(store: string, driver: string): (cause: unknown) => never {
  return (cause) => {
    throw invalidOption(`The store "${store}" needs the package ${driver}: npm install ${driver}.`, { cause });
  };
}
