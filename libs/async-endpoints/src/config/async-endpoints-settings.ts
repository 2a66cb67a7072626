import { LONGEST_MS } from '../job/bounds.js';
import { type Given, type GROUPS, type Role, ROLES } from '../options/options.js';
import {
  flag,
  integer,
  isObject,
  oneOf,
  option,
  type OptionsOf,
  pattern,
  readText,
  rule,
  text,
} from '../options/rules.js';
import { PRIORITY_AGING_MS } from '../store/fairness.js';
import type { JobStore } from '../store/job-store.js';
import {
  COMMAND_TIMEOUT_MS as POSTGRES_TIMEOUT_MS,
  isPostgresUrl,
  POSTGRES_URL,
  SCHEMA,
} from '../stores/postgres/options.js';
import { COMMAND_TIMEOUT_MS, CONNECT, PARTITIONS, PREFIX, SHORTEST_SECRET } from '../stores/redis/options.js';
import { isRedisUrl, REDIS_URL } from '../stores/redis/url.js';
import { BUSY_TIMEOUT_MS, SYNCHRONOUS } from '../stores/sqlite/options.js';

const STORES = ['memory', 'redis', 'postgres', 'sqlite'] as const;

type Store = (typeof STORES)[number] | JobStore;

export const MODULE = {
  /** What this process does: both sides, HTTP only (no handlers needed), or jobs only (no routes mapped). */
  role: option((): Role => 'all', ROLES),
  /**
   * Where jobs live; in code also any `JobStore`. Default: `redis` or `postgres` when it has a URL, `sqlite` when it has a path; else
   * `memory` when the role is `all`, or `redis`.
   */
  store: option((): Store => 'memory', rule<Store>(`${STORES.join(', ')}, or in code a JobStore`, isStore, readText)),
  /** Whether other modules can use the module without importing it. Default true. */
  isGlobal: option(() => true, { ...flag(), read: undefined }),
};

export type ModuleSettings = OptionsOf<typeof MODULE>;

const optionalText = (from: number, to: number) => option<string | undefined>(() => undefined, text(from, to));

function address(expected: string, isAddress: (url: string) => boolean) {
  const accepts = (url: unknown) => typeof url === 'string' && isAddress(url);
  return option<string | undefined>(() => undefined, rule(expected, accepts, readText));
}

/** To use other options of ioredis, set `store` to a `RedisJobStore` in code. */
const REDIS = {
  /**
   * The address of Redis: one server, some nodes of a cluster, or Sentinels and the name of the master; `rediss`,
   * `rediss+cluster` or `rediss+sentinel` for TLS. No default, so that no application uses a Redis by accident.
   */
  url: address(REDIS_URL, isRedisUrl),
  /** The ACL user, when it is not in the URL. */
  username: optionalText(1, 1_000),
  /** The password, when it is not in the URL. */
  password: optionalText(1, 10_000),
  /** The user of the Sentinels, when they require one. No default. */
  sentinelUsername: optionalText(1, 1_000),
  /** The password of the Sentinels, when they require one. No default. */
  sentinelPassword: optionalText(1, 10_000),
  /** The prefix of all keys, so that applications can share a server. Default `ae`. */
  prefix: option(() => 'ae', pattern(PREFIX.pattern, PREFIX.expected)),
  /** What to do when Redis is unreachable at boot: stop, or continue, answer 503 and connect later. Default `fail-fast`. */
  connect: option((): (typeof CONNECT)[number] => 'fail-fast', oneOf(...CONNECT)),
  /** How long a call may take before it fails with `STORE_UNAVAILABLE`, in ms. Default 5000. */
  commandTimeoutMs: option(() => 5_000, integer(...COMMAND_TIMEOUT_MS)),
  /** The number of slots of a cluster over which jobs are spread. The same in every process, forever. Default 1. */
  partitions: option(() => 1, integer(...PARTITIONS)),
  /**
   * A secret that decides, together with a job's id, in which partition the job is, so that clients cannot fill one partition.
   * The same in every process, forever.
   */
  partitionSecret: optionalText(SHORTEST_SECRET, 1_000),
  /**
   * How long a job waits until its priority counts as one step higher, in ms; 0 disables it. The same in every worker.
   * Default one minute.
   */
  priorityAgingMs: option(() => PRIORITY_AGING_MS, integer(0, LONGEST_MS)),
};

export type RedisSettings = OptionsOf<typeof REDIS>;

/** To use other options of `pg`, set `store` to a `PostgresJobStore` in code. */
const POSTGRES = {
  /**
   * The address of PostgreSQL. Missing parts are read from `PGHOST`, `PGUSER` and so on; in `postgres://` all parts are missing.
   * No default, so that no application uses a database by accident.
   */
  url: address(POSTGRES_URL, isPostgresUrl),
  /** The password. It overrides the one in the URL. */
  password: optionalText(1, 10_000),
  /**
   * The address for notifications, when `url` leads to a pooler in transaction mode. The store polls when notifications do not
   * arrive. Default: `url`.
   */
  listen: address(POSTGRES_URL, isPostgresUrl),
  /** The schema that holds the tables. Default `async_endpoints`. */
  schema: option(() => 'async_endpoints', pattern(SCHEMA.pattern, SCHEMA.expected)),
  /**
   * Whether to create and migrate the schema at boot. Set it to false when `npx async-endpoints migrate` does it. Default true.
   */
  migrate: option(() => true, flag()),
  /**
   * Whether claims and progress wait until they are on disk. When false, a crash of the server may undo the last ones. Default
   * true.
   */
  synchronousClaims: option(() => true, flag()),
  /**
   * What to do when PostgreSQL is unreachable at boot: stop, or continue, answer 503 and connect later. Default `fail-fast`.
   */
  connect: option((): (typeof CONNECT)[number] => 'fail-fast', oneOf(...CONNECT)),
  /** How long a call may take before it fails with `STORE_UNAVAILABLE`, in ms. Default 5000. */
  commandTimeoutMs: option(() => 5_000, integer(...POSTGRES_TIMEOUT_MS)),
  /**
   * How long a job waits until its priority counts as one step higher, in ms; 0 disables it. The same in every worker.
   * Default one minute.
   */
  priorityAgingMs: option(() => PRIORITY_AGING_MS, integer(0, LONGEST_MS)),
};

const SQLITE = {
  /** The path of the database file. The file is created if needed; its folder must exist. No default. */
  path: optionalText(1, 4_096),
  /** Whether a commit survives a power loss (`FULL`), or a crash of the process only (`NORMAL`). Default `FULL`. */
  synchronous: option((): (typeof SYNCHRONOUS)[number] => 'FULL', oneOf(...SYNCHRONOUS)),
  /** How long a call waits for other processes that write, in ms. Then it fails with `STORE_UNAVAILABLE`. Default 5000. */
  busyTimeoutMs: option(() => 5_000, integer(...BUSY_TIMEOUT_MS)),
  /**
   * How long a job waits until its priority counts as one step higher, in ms; 0 disables it. The same in every worker.
   * Default one minute.
   */
  priorityAgingMs: option(() => PRIORITY_AGING_MS, integer(0, LONGEST_MS)),
};

/** The groups of options of the stores. */
export const OF_STORES = { redis: REDIS, postgres: POSTGRES, sqlite: SQLITE };

function isStore(value: unknown): boolean {
  return STORES.includes(value as (typeof STORES)[number]) || (isObject(value) && 'claim' in value);
}

/** The sections and names in the configuration of the reference system. Each one sets an option of this library. */
export interface SeedSettings {
  workerConfigurations?: {
    maximumConcurrency?: number;
    /** Shared by all instances. */
    maximumQueueSize?: number;
    jobTimeoutMinutes?: number;
    /** A fallback for missed notifications. */
    pollingIntervalMs?: number;
  };
  jobManagerConfiguration?: {
    defaultMaxRetries?: number;
    retryDelayBaseSeconds?: number;
    maxConcurrentJobs?: number;
    jobPollingIntervalMs?: number;
    maxClaimBatchSize?: number;
    /** Such as `00:01:00`; a number is in ms. */
    staleJobClaimCheckInterval?: string | number;
  };
  recoveryConfiguration?: {
    enableDistributedJobRecovery?: boolean;
    jobTimeoutMinutes?: number;
    recoveryCheckIntervalSeconds?: number;
    /** How often a job may run again after its worker died. */
    maximumRetries?: number;
  };
}

type Groups = typeof OF_STORES & typeof GROUPS;
type InGroups = { [Name in keyof Groups]?: Given<OptionsOf<Groups[Name]>> | undefined };

/** The settings in a file or in code: every option of the library, and the names of the seed. */
export interface AsyncEndpointsSettings extends Given<ModuleSettings>, SeedSettings, InGroups {}
