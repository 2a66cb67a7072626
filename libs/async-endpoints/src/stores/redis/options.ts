import type { ClusterNode, ClusterOptions, RedisOptions } from 'ioredis';
import { checkInteger } from '../../job/bounds.js';
import { AsyncEndpointsError } from '../../job/errors.js';
import type { PriorityAging } from '../../store/fairness.js';
import type { RedisClient } from './scripts/define-script.js';

/** Where Redis is: one of `url` (with or without `redis`), `cluster` and `client`. */
export interface RedisConnectionOptions {
  /**
   * Where Redis is. Default `redis://127.0.0.1:6379`.
   *
   * - one server: `redis://user:password@host:6379/0`
   * - a cluster, by some of its nodes: `redis+cluster://user:password@host:6379,host:6379`
   * - a master that Sentinels know: `redis+sentinel://user:password@host:26379,host:26379/name/0`; user, password and database
   *   are those of Redis
   *
   * `rediss`, `rediss+cluster` and `rediss+sentinel` use TLS, the last one also for the Sentinels.
   */
  url?: string | undefined;
  /**
   * Any options of ioredis: TLS, ACL user, `sentinels` and `name`, `sentinelPassword`, retry strategy. They win over the URL; in a
   * cluster they are those of each node.
   */
  redis?: RedisOptions | undefined;
  /** A Redis Cluster: some of its nodes, and any options of ioredis for it (`redisOptions` for TLS and ACL user). */
  cluster?: { nodes: ClusterNode[]; options?: ClusterOptions } | undefined;
  /** A client of the application's own, also a `Cluster`; it is shared for commands, and not closed with the store. */
  client?: RedisClient | undefined;
  /**
   * What a boot does while Redis cannot be reached: `fail-fast` stops it, `degraded` goes on, answers 503 and recovers by
   * itself. Default `fail-fast`.
   */
  connect?: 'fail-fast' | 'degraded' | undefined;
  /**
   * How long a call may take before it fails with `STORE_UNAVAILABLE`, in ms; four times as long while its bytes move, as those
   * of a large result on a slow network. A connection of the store's own on which nothing was heard for that long while something
   * was asked is opened anew; one to a node of a cluster after four times as long. Default 5000.
   */
  commandTimeoutMs?: number | undefined;
}

/** Where the jobs are, and how they are spread and ordered there. */
export interface RedisJobStoreOptions extends RedisConnectionOptions, PriorityAging {
  /**
   * What all keys begin with, so that applications can share a server: 1 to 200 characters, no braces. Channels carry it too,
   * with the number of the database. Default `ae`.
   */
  prefix?: string | undefined;
  /**
   * Over how many slots of a cluster jobs are spread, by their ids: 1 to 256, the same in every process, for good. Each
   * keeps its own order and an equal share of the queue limits, rounded up. Default 1.
   */
  partitions?: number | undefined;
  /**
   * A secret of the deployment that decides, together with a job's id, in which partition the job is. Without it, clients
   * that choose their ids can fill one partition. The same in every process, for good; at least 16 characters. No default.
   */
  partitionSecret?: string | undefined;
  /** The clock instead of Redis's own, in ms since the epoch: for tests. */
  now?: (() => number) | undefined;
}

/** The prefix of all keys. Braces would tell a cluster where a key belongs. */
export const PREFIX = { pattern: /^[^{}\p{Cc}]{1,200}$/u, expected: 'a text of 1 to 200 characters without braces' };
export const CONNECT = ['fail-fast', 'degraded'] as const;
/** The least and the most. */
export const COMMAND_TIMEOUT_MS = [1, 3_600_000] as const;
export const PARTITIONS = [1, 256] as const;
export const SHORTEST_SECRET = 16;

/** @throws AsyncEndpointsError `INVALID_OPTION` */
export function checkPartitions(count: number, secret: string | undefined): void {
  checkInteger('partitions', count, ...PARTITIONS);
  if (secret === undefined || secret.length >= SHORTEST_SECRET) return;
  const expected = `expected at least ${SHORTEST_SECRET}`;
  throw new AsyncEndpointsError('INVALID_OPTION', `partitionSecret has ${secret.length} characters; ${expected}.`);
}
