import type {
  ContextOptions,
  Given,
  HttpOptions,
  JobsOptions,
  RecoveryOptions,
  ResponseOptions,
  Role,
  WorkerOptions,
} from '../options/options.js';
import type { JobStore } from '../store/job-store.js';

export interface ModuleSettings {
  /** What this process does: both sides, HTTP only (no handlers needed), or jobs only (no routes mapped). */
  role: Role;
  /** Where jobs live; in code also any `JobStore`. Default: `redis` where it has a URL or the role is not `all`, else `memory`. */
  store: 'memory' | 'redis' | JobStore;
  /** Whether to import the module once is enough. Default true. */
  isGlobal: boolean;
}

/** For all else that ioredis can do, give a `RedisJobStore` as `store` in code. */
export interface RedisSettings {
  /**
   * Where Redis is: one server, some nodes of a cluster, or Sentinels and the name of the master; `rediss`, `rediss+cluster` or
   * `rediss+sentinel` for TLS. No default: a Redis that nobody named is nobody's.
   */
  url: string | undefined;
  /** The ACL user, where it is not in the URL. */
  username: string | undefined;
  /** The password, where it is not in the URL. */
  password: string | undefined;
  /** The user of the Sentinels themselves, where they ask for one. No default. */
  sentinelUsername: string | undefined;
  /** The password of the Sentinels themselves, where they ask for one. No default. */
  sentinelPassword: string | undefined;
  /** What all keys begin with, so that applications can share a server. Default `ae`. */
  prefix: string;
  /** Whether a boot stops while Redis cannot be reached, or goes on, answers 503 and recovers by itself. */
  connect: 'fail-fast' | 'degraded';
  /** How long a call may take before it fails with `STORE_UNAVAILABLE`, in ms. Default 5000. */
  commandTimeoutMs: number;
  /** Over how many slots of a cluster jobs are spread; the same in every process, for good. Default 1. */
  partitions: number;
  /** Decides with a job's id in which partition it is, so that clients cannot fill one; the same in every process, for good. */
  partitionSecret: string | undefined;
  /**
   * By how much waiting raises a job by one step of priority, in ms; 0 goes strictly by priority. The same in every worker.
   * Default one minute.
   */
  priorityAgingMs: number;
}

/** The sections and names of the reference system's configuration; each states an option of ours. */
export interface SeedSettings {
  workerConfigurations?: {
    maximumConcurrency?: number;
    /** Shared by all instances. */
    maximumQueueSize?: number;
    jobTimeoutMinutes?: number;
    /** The net under push. */
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
    /** How often a job may be taken up again after its worker vanished. */
    maximumRetries?: number;
  };
}

/** What a file or code can state: every option of the library, and the names of the seed. */
export interface AsyncEndpointsSettings extends Given<ModuleSettings>, SeedSettings {
  redis?: Given<RedisSettings> | undefined;
  worker?: Given<WorkerOptions> | undefined;
  jobs?: Given<JobsOptions> | undefined;
  recovery?: Given<RecoveryOptions> | undefined;
  context?: Given<ContextOptions> | undefined;
  http?: Given<HttpOptions> | undefined;
  response?: ResponseOptions | undefined;
}
