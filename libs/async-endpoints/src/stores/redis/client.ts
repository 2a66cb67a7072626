import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import { checkChoice, checkInteger, invalid } from '../../job/bounds.js';
import { type AsyncEndpointsError, invalidOption } from '../../job/errors.js';
import { COMMAND_TIMEOUT_MS, CONNECT, PREFIX, type RedisConnectionOptions } from './options.js';
import type { RedisClient } from './scripts/define-script.js';
import { isReadableUrl, isRedisUrl, READABLE_URL, readServersUrl, REDIS_URL, type ServersUrl } from './url.js';

/** @throws AsyncEndpointsError `INVALID_OPTION` */
export function checkConnectionOptions(options: RedisConnectionOptions): void {
  const { url, redis, cluster, client, connect = 'fail-fast', commandTimeoutMs = 1 } = options;
  const ways = [url ?? redis, cluster, client].filter((way) => way !== undefined);
  if (ways.length > 1) throw refused('only one of url (with or without redis), cluster and client');
  if (cluster && !(Array.isArray(cluster.nodes) && cluster.nodes.length > 0)) {
    throw refused('at least one node in cluster.nodes');
  }
  // A path is a Unix socket.
  const isOfOne = url !== undefined && /^(rediss?:\/\/|\/)./.test(url);
  if (url !== undefined && !isOfOne && !isRedisUrl(url)) throw refused(`a url, ${REDIS_URL}`);
  const urls = [isOfOne ? url : '', ...(cluster?.nodes ?? [])].filter(
    (one) => typeof one === 'string' && one.includes('://'),
  );
  if (!urls.every((one) => isReadableUrl(one as string))) throw refused(READABLE_URL);
  const readsNumbers = [redis, cluster?.options?.redisOptions, optionsOf(client)].every((one) => !one?.stringNumbers);
  if (!readsNumbers) throw refused('a client without stringNumbers');
  const keyPrefixes = [redis, cluster?.options, client?.options].map((one) => one?.keyPrefix ?? '');
  // A cluster ignores an empty hash tag: the keys of a partition would be on different nodes.
  if (keyPrefixes.some((one) => /^[^{]*\{\}/.test(one))) throw refused('a keyPrefix without "{}"');
  checkChoice('connect', connect, CONNECT);
  checkInteger('commandTimeoutMs', commandTimeoutMs, ...COMMAND_TIMEOUT_MS);
}

/** @throws AsyncEndpointsError `INVALID_OPTION` */
export function checkPrefix(prefix: string): void {
  if (!PREFIX.pattern.test(prefix)) throw invalid('prefix', prefix, PREFIX.expected);
}

function optionsOf(client: RedisClient | undefined): Pick<RedisOptions, 'stringNumbers'> | undefined {
  return client instanceof Cluster ? client.options.redisOptions : client?.options;
}

/** The database and the key prefix of a client. */
export function spaceOf(client: RedisClient): { database: number; keyPrefix: string } {
  const { db, keyPrefix } = client.options as RedisOptions;
  return { database: db ?? 0, keyPrefix: keyPrefix ?? '' };
}

/** How many timeouts a call may take while its bytes move. After the same time, ioredis gives up a silent connection. */
export const MOST_TIMES = 4;

/** How long ioredis waits for the server when it closes a connection, instead of 2 s. The process cannot end before that. */
const PROMPT: RedisOptions = { disconnectTimeout: 100 };

/** For connections that subscribe or block. They wait for a long time, so they have no deadline and reconnect without a limit. */
const PATIENT: RedisOptions = {
  commandTimeout: undefined,
  maxRetriesPerRequest: null,
  enableOfflineQueue: true,
  lazyConnect: false,
  ...PROMPT,
};

/**
 * Disconnects a client at once, in any state, so that nothing keeps the process alive. Pending calls may never settle: ioredis
 * drops the calls of a connection that does not come back.
 */
export function hangUp(client: RedisClient): void {
  const sockets = client instanceof Cluster ? client.nodes() : [client];
  client.disconnect();
  // ioredis 5 waits for a reply on the closed connection; destroying the socket is the only way to end that.
  for (const socket of sockets)
    clearTimeout((socket as unknown as { socketTimeoutTimer?: NodeJS.Timeout }).socketTimeoutTimer);
}

/**
 * A number that changes while bytes arrive at this process or leave it. Bytes that the operating system buffers at once do not
 * count.
 */
export function movedBytes(client: RedisClient): number {
  if (client instanceof Cluster) return client.nodes().reduce((sum, { stream }) => sum + movedOn(stream), 0);
  return movedOn(client.stream);
}

function movedOn(stream: Redis['stream'] | undefined): number {
  return stream ? stream.bytesRead + leaving(stream) : 0;
}

function leaving({ bytesWritten, writableLength }: Redis['stream']): number {
  return writableLength > 0 ? bytesWritten - writableLength : 0;
}

/**
 * Reconnects a connection that seems dead. ioredis itself reconnects to the nodes of a cluster, because other nodes may still
 * respond.
 */
export function reconnect(client: RedisClient, why: Error): void {
  if (!(client instanceof Cluster) && client.status === 'ready') client.stream.destroy(why);
}

/** A client of the store, which connects on `connect()`. */
export function ownClient(options: RedisConnectionOptions, commandTimeoutMs: number): RedisClient {
  const { url = 'redis://127.0.0.1:6379', redis } = options;
  const servers = readServersUrl(url);
  const cluster = options.cluster ?? (servers?.kind === 'cluster' ? clusterOf(servers, redis) : undefined);
  const impatient: RedisOptions = {
    // `inTime` is the deadline of calls; it knows whether bytes move and whether this process was busy. This timeout ends a
    // handshake without a reply, and calls to a node of a cluster.
    socketTimeout: MOST_TIMES * commandTimeoutMs,
    connectTimeout: commandTimeoutMs,
    sentinelCommandTimeout: commandTimeoutMs,
    // Without a connection a call fails at once. A call that was interrupted is not sent again.
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    reconnectOnError: wasDemoted,
    ...PROMPT,
  };
  if (cluster) {
    const redisOptions = { ...impatient, ...cluster.options?.redisOptions };
    const rest = { enableOfflineQueue: false, retryDelayOnFailover: 0, lazyConnect: true, ...cluster.options };
    return new Cluster(cluster.nodes, { ...rest, redisOptions });
  }
  // For each option, ioredis takes the first argument that has it, although its types state another order.
  const Client = Redis as unknown as new (options: RedisOptions, url: string) => Redis;
  if (!servers) return new Client({ ...impatient, lazyConnect: true, ...redis }, url);
  const sentinels = { sentinels: [...servers.servers], name: servers.name };
  return new Redis({ ...impatient, lazyConnect: true, ...sentinels, ...servers.options, ...redis });
}

function clusterOf({ servers, options }: ServersUrl, redis: RedisOptions = {}): RedisConnectionOptions['cluster'] {
  // Certificates contain host names, so with TLS a name is not replaced by its address.
  const dnsLookup: ClusterOptions['dnsLookup'] = (name, resolve) => resolve(null, name);
  return {
    nodes: [...servers],
    options: { redisOptions: { ...options, ...redis }, ...(options.tls && { dnsLookup }) },
  };
}

/** The longest blocking call on the work connection. */
export const BLOCK_MS = 10_000;
/** Redis must reply to a blocking call within this time after its timeout. Otherwise the connection is dead. */
const PATIENCE_MS = 3_000;

/** A copy of a client, for blocking calls. */
export function workClient(commands: RedisClient): RedisClient {
  const blocking = { ...PATIENT, socketTimeout: BLOCK_MS + PATIENCE_MS };
  if (!(commands instanceof Cluster)) return commands.duplicate(blocking);
  return commands.duplicate([], { enableOfflineQueue: true, lazyConnect: false, redisOptions: blocking });
}

/** A copy of a client, for subscriptions. In a cluster any node works, because messages reach all nodes. */
export function listeningClient(commands: RedisClient, socketTimeout: number): Redis | undefined {
  const listening = { ...PATIENT, autoResubscribe: false, socketTimeout };
  if (!(commands instanceof Cluster)) return commands.duplicate(listening);
  const nodes = commands.nodes();
  const node = nodes[Math.floor(Math.random() * nodes.length)];
  return node?.duplicate({ ...listening, retryStrategy: () => null, readOnly: false });
}

/** The server has become a replica. A new connection finds the master. */
function wasDemoted(error: Error): boolean {
  return error.message.includes('READONLY');
}

/** Without the value, which may contain a password. */
function refused(expected: string): AsyncEndpointsError {
  return invalidOption(`RedisJobStore expects ${expected}.`);
}
