import type { ClusterNode, ClusterOptions, RedisOptions } from 'ioredis';
import { checkInteger } from '../../job/bounds.js';
import { invalidOption } from '../../job/errors.js';
import type { PriorityAging } from '../../store/fairness.js';
import type { RedisClient } from './scripts/define-script.js';

/** The connection to Redis: one of `url` (with or without `redis`), `cluster` and `client`. */
export interface RedisConnectionOptions {
  /**
   * The URL of Redis. Default `redis://127.0.0.1:6379`.
   *
   * - one server: `redis://user:password@host:6379/0`
   * - a cluster, by some of its nodes: `redis+cluster://user:password@host:6379,host:6379`
   * - a master that Sentinels monitor: `redis+sentinel://user:password@host:26379,host:26379/name/0`; user, password and database
   * are those of Redis
   *
   * `rediss`, `rediss+cluster` and `rediss+sentinel` use TLS, the last one also for the Sentinels.
   */
  url?: string | undefined;
  /**
   * Any options of ioredis: TLS, ACL user, `sentinels` and `name`, `sentinelPassword`, retry strategy. They override the URL. In
   * a cluster they apply to each node.
   */
  redis?: RedisOptions | undefined;
  /** A Redis Cluster: some of its nodes, and any options of ioredis for it (`redisOptions` for TLS and ACL user). */
  cluster?: { nodes: ClusterNode[]; options?: ClusterOptions } | undefined;
  /** A client of the application, which may be a `Cluster`. The store uses it for commands and does not close it. */
  client?: RedisClient | undefined;
  /**
   * What to do when Redis cannot be reached at boot. `fail-fast` stops the boot. `degraded` continues, answers requests with 503
   * and connects as soon as it can. Default `fail-fast`.
   */
  connect?: 'fail-fast' | 'degraded' | undefined;
  /**
   * How long a call may take before it fails with `STORE_UNAVAILABLE`, in ms. A call may take four times as long while its bytes
   * move, such as a large result on a slow network. A connection of the store that is silent for this long during a call is
   * opened again; a connection to a node of a cluster after four times as long. Default 5000.
   */
  commandTimeoutMs?: number | undefined;
}

/** The options of `RedisJobStore`. */
export interface RedisJobStoreOptions extends RedisConnectionOptions, PriorityAging {
  /**
   * The beginning of all keys, so that applications can share a server: 1 to 200 characters, no braces. Channel names contain it
   * too, with the number of the database. Default `ae`.
   */
  prefix?: string | undefined;
  /**
   * The number of cluster slots over which jobs are spread by their ids: 1 to 256. It must be the same in every process and never
   * change. Each partition keeps its own order and an equal share of the queue limits, rounded up. Default 1.
   */
  partitions?: number | undefined;
  /**
   * A secret of at least 16 characters that determines, together with the id of a job, its partition. Without it, clients that
   * choose their ids can fill one partition. It must be the same in every process and never change. No default.
   */
  partitionSecret?: string | undefined;
  /** Replaces the clock of Redis, in ms since the epoch. For tests. */
  now?: (() => number) | undefined;
}

/** The prefix of all keys. It has no braces, because a cluster would take them for a hash tag. */
export const PREFIX = { pattern: /^[^{}\p{Cc}]{1,200}$/u, expected: 'a text of 1 to 200 characters without braces' };
export const CONNECT = ['fail-fast', 'degraded'] as const;
/** The minimum and maximum. */
export const COMMAND_TIMEOUT_MS = [1, 3_600_000] as const;
export const PARTITIONS = [1, 256] as const;
export const SHORTEST_SECRET = 16;

/** @throws AsyncEndpointsError `INVALID_OPTION` */
export function checkPartitions(count: number, secret: string | undefined): void {
  checkInteger('partitions', count, ...PARTITIONS);
  if (secret === undefined || secret.length >= SHORTEST_SECRET) return;
  const expected = `expected at least ${SHORTEST_SECRET}`;
  throw invalidOption(`partitionSecret has ${secret.length} characters; ${expected}.`);
}
