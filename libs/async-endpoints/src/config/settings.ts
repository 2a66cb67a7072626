import { LONGEST_MS } from '../job/bounds.js';
import {
  CONTEXT,
  type Definitions,
  HTTP,
  JOBS,
  type Option,
  option,
  RECOVERY,
  RESPONSE,
  RETENTION,
  WORKER,
} from '../options/definitions.js';
import type { Role } from '../options/options.js';
import { flag, integer, isObject, oneOf, pattern, readText, rule, text } from '../options/rules.js';
import { PRIORITY_AGING_MS } from '../store/fairness.js';
import { PREFIX } from '../stores/redis/keys.js';
import { isRedisUrl, REDIS_URL } from '../stores/redis/url.js';
import type { ModuleSettings, RedisSettings } from './async-endpoints-settings.js';

/** One option, and all that can state it. */
export interface Setting extends Option<unknown> {
  /** Its path in files and in code, such as `worker.leaseMs`. */
  readonly key: string;
  /** Its environment variable; null where only code can state it. */
  readonly variable: string | null;
  /** Whether no message may show it. */
  readonly isSecret: boolean;
}

const MODULE: Definitions<ModuleSettings> = {
  role: option((): Role => 'all', oneOf('all', 'api', 'worker')),
  store: option(() => 'memory' as const, rule('memory, redis, or in code a JobStore', isStore, readText)),
  isGlobal: option(() => true, { ...flag(), read: undefined }),
};

const REDIS: Definitions<RedisSettings> = {
  url: option(
    () => undefined,
    rule(REDIS_URL, (url) => typeof url === 'string' && isRedisUrl(url), readText),
  ),
  username: option(() => undefined, text(1, 1_000)),
  password: option(() => undefined, text(1, 10_000)),
  sentinelUsername: option(() => undefined, text(1, 1_000)),
  sentinelPassword: option(() => undefined, text(1, 10_000)),
  prefix: option(() => 'ae', pattern(PREFIX.pattern, PREFIX.expected)),
  connect: option((): RedisSettings['connect'] => 'fail-fast', oneOf('fail-fast', 'degraded')),
  commandTimeoutMs: option(() => 5_000, integer(1, 3_600_000)),
  partitions: option(() => 1, integer(1, 256)),
  partitionSecret: option(() => undefined, text(16, 1_000)),
  priorityAgingMs: option(() => PRIORITY_AGING_MS, integer(0, LONGEST_MS)),
};

const { retention: _inParts, ...JOBS_BUT_RETENTION } = JOBS;

/** By what they are called in files and in code; those of no group first. */
export const GROUPS: Readonly<Record<string, Readonly<Record<string, Option<unknown>>>>> = {
  '': MODULE,
  redis: REDIS,
  worker: WORKER,
  jobs: JOBS_BUT_RETENTION,
  'jobs.retention': RETENTION,
  recovery: RECOVERY,
  context: CONTEXT,
  http: HTTP,
  response: RESPONSE,
};

/** The variables that had their names before there was a system to them. */
const NAMED: Readonly<Record<string, string>> = {
  'redis.url': 'REDIS_URL',
  'worker.maxConcurrency': 'ASYNC_WORKER_CONCURRENCY',
  'worker.pollingIntervalMs': 'ASYNC_POLLING_INTERVAL',
  'jobs.maxQueueSize': 'ASYNC_QUEUE_SIZE',
  'jobs.maxQueueBytes': 'ASYNC_QUEUE_BYTES',
  'jobs.defaultMaxRetries': 'ASYNC_MAX_RETRIES',
};
const SECRETS = ['redis.url', 'redis.password', 'redis.sentinelPassword', 'redis.partitionSecret'];

/** Every option of the library by its key. */
export const SETTINGS: ReadonlyMap<string, Setting> = new Map(
  Object.entries(GROUPS).flatMap(([group, definitions]) =>
    Object.entries(definitions).map(([name, definition]): [string, Setting] => {
      const key = group ? `${group}.${name}` : name;
      const variable = definition.read ? (NAMED[key] ?? variableOf(key)) : null;
      return [key, { ...definition, key, variable, isSecret: SECRETS.includes(key) }];
    }),
  ),
);

/** `worker.leaseMs` is `ASYNC_WORKER_LEASE_MS`; `worker.workerId` does not say worker twice. */
function variableOf(key: string): string {
  const words = key.replaceAll(/\.|(?=[A-Z])/g, '_').toUpperCase();
  return `ASYNC_${words.replace(/^([A-Z]+)_\1_/, '$1_')}`;
}

function isStore(value: unknown): boolean {
  return value === 'memory' || value === 'redis' || (isObject(value) && 'claim' in value);
}
