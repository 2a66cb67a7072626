import { Cluster, type ClusterNode, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import { AsyncEndpointsError } from '../job/errors.js';
import type { RedisClient } from './define-script.js';

/** Where Redis is: one of `url` (with or without `redis`), `cluster` and `client`. */
export interface RedisConnectionOptions {
  /** Such as `redis://user:password@host:6379/0`, or `rediss://` for TLS. Default `redis://127.0.0.1:6379`. */
  url?: string;
  /** Any options of ioredis: TLS, ACL user, `sentinels` and `name`, retry strategy. They win over the URL. */
  redis?: RedisOptions;
  /** A Redis Cluster: some of its nodes, and any options of ioredis for it (`redisOptions` for TLS and ACL user). */
  cluster?: { nodes: ClusterNode[]; options?: ClusterOptions };
  /** A client of the application's own, also a `Cluster`; it is shared for commands, and not closed with the store. */
  client?: RedisClient;
  /**
   * What a boot does while Redis cannot be reached: `fail-fast` stops it, `degraded` goes on, answers 503 and recovers by
   * itself. Default `fail-fast`.
   */
  connect?: 'fail-fast' | 'degraded';
  /**
   * How long a call may take before it fails with `STORE_UNAVAILABLE`, in ms. A connection of the store's own on which
   * nothing was heard for that long while something was asked is opened anew. Default 5000.
   */
  commandTimeoutMs?: number;
}

/** @throws AsyncEndpointsError `INVALID_OPTION` */
export function checkConnectionOptions(options: RedisConnectionOptions): void {
  const { url, redis, cluster, client, connect = 'fail-fast', commandTimeoutMs = 1 } = options;
  const ways = [url ?? redis, cluster, client].filter((way) => way !== undefined);
  if (ways.length > 1) throw invalid('only one of url (with or without redis), cluster and client');
  if (cluster && !(Array.isArray(cluster.nodes) && cluster.nodes.length > 0)) {
    throw invalid('at least one node in cluster.nodes');
  }
  if (url !== undefined && !/^(rediss?:\/\/|\/)./.test(url))
    throw invalid('a url that begins with redis:// or rediss://');
  const readsNumbers = [redis, cluster?.options?.redisOptions, optionsOf(client)].every((one) => !one?.stringNumbers);
  if (!readsNumbers) throw invalid('a client without stringNumbers');
  if (connect !== 'fail-fast' && connect !== 'degraded') throw invalid('connect to be fail-fast or degraded', connect);
  if (!Number.isInteger(commandTimeoutMs) || commandTimeoutMs < 1) {
    throw invalid('commandTimeoutMs to be an integer from 1', commandTimeoutMs);
  }
}

function optionsOf(client: RedisClient | undefined): Pick<RedisOptions, 'stringNumbers'> | undefined {
  return client instanceof Cluster ? client.options.redisOptions : client?.options;
}

/** A client of our own, which connects when told to. */
export function ownClient(options: RedisConnectionOptions, commandTimeoutMs: number): RedisClient {
  const { url = 'redis://127.0.0.1:6379', redis, cluster } = options;
  const impatient: RedisOptions = {
    commandTimeout: commandTimeoutMs,
    socketTimeout: commandTimeoutMs,
    connectTimeout: commandTimeoutMs,
    sentinelCommandTimeout: commandTimeoutMs,
    // While there is no connection a call fails at once; what it was in the middle of is not sent a second time.
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    reconnectOnError: wasDemoted,
  };
  if (cluster) {
    const redisOptions = { ...impatient, ...cluster.options?.redisOptions };
    const rest = { enableOfflineQueue: false, retryDelayOnFailover: 0, lazyConnect: true, ...cluster.options };
    return new Cluster(cluster.nodes, { ...rest, redisOptions });
  }
  // Of its arguments ioredis takes the first that has an option, whatever its types say of their order.
  const Client = Redis as unknown as new (options: RedisOptions, url: string) => Redis;
  return new Client({ ...impatient, lazyConnect: true, ...redis }, url);
}

/** The server is a replica now: whoever is master is found by connecting anew. */
function wasDemoted(error: Error): boolean {
  return error.message.includes('READONLY');
}

/** No value where there may be a password in it. */
function invalid(expected: string, value?: unknown): AsyncEndpointsError {
  const found = value === undefined ? '' : `; it is ${JSON.stringify(value)}`;
  return new AsyncEndpointsError('INVALID_OPTION', `RedisJobStore expects ${expected}${found}.`);
}
