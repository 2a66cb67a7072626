import { JOBS, RETENTION } from '../options/jobs.js';
import { GROUPS as OF_THE_MODULE } from '../options/options.js';
import type { Definitions, Option } from '../options/rules.js';
import { MODULE, OF_STORES } from './async-endpoints-settings.js';

/** One option, and the ways to set it. */
export interface Setting extends Option<unknown> {
  /** Its path in files and in code, such as `worker.leaseMs`. */
  readonly key: string;
  /** Its environment variable; null when only code can set it. */
  readonly variable: string | null;
  /** Whether messages must not show the value. */
  readonly isSecret: boolean;
}

const { retention: _inParts, ...JOBS_BUT_RETENTION } = JOBS;

const { worker, recovery, context, http, response } = OF_THE_MODULE;

/** The groups by their names in files and in code. Options without a group come first. */
export const GROUPS: Readonly<Record<string, Definitions>> = {
  '': MODULE,
  ...OF_STORES,
  worker,
  jobs: JOBS_BUT_RETENTION,
  'jobs.retention': RETENTION,
  recovery,
  context,
  http,
  response,
};

/** The variables whose names do not follow the rule of `variableOf`. */
const NAMED: Readonly<Record<string, string>> = {
  'redis.url': 'REDIS_URL',
  'postgres.url': 'POSTGRES_URL',
  'sqlite.path': 'SQLITE_PATH',
  'worker.maxConcurrency': 'ASYNC_WORKER_CONCURRENCY',
  'worker.pollingIntervalMs': 'ASYNC_POLLING_INTERVAL',
  'jobs.maxQueueSize': 'ASYNC_QUEUE_SIZE',
  'jobs.maxQueueBytes': 'ASYNC_QUEUE_BYTES',
  'jobs.defaultMaxRetries': 'ASYNC_MAX_RETRIES',
};
/** Addresses contain passwords. */
const SECRET = /\.(url|listen|password|sentinelPassword|partitionSecret)$/;

/** Every option of the library by its key. */
export const SETTINGS: ReadonlyMap<string, Setting> = new Map(
  Object.entries(GROUPS).flatMap(([group, definitions]) =>
    Object.entries(definitions).map(([name, definition]): [string, Setting] => {
      const key = group ? `${group}.${name}` : name;
      const variable = definition.read ? (NAMED[key] ?? variableOf(key)) : null;
      return [key, { ...definition, key, variable, isSecret: SECRET.test(key) }];
    }),
  ),
);

/** `worker.leaseMs` is `ASYNC_WORKER_LEASE_MS`. `worker.workerId` has "worker" only once. */
function variableOf(key: string): string {
  const words = key.replaceAll(/\.|(?=[A-Z])/g, '_').toUpperCase();
  return `ASYNC_${words.replace(/^([A-Z]+)_\1_/, '$1_')}`;
}
