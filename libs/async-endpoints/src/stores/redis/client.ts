import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import { AsyncEndpointsError } from '../../job/errors.js';
import { COMMAND_TIMEOUT_MS, CONNECT, PREFIX, type RedisConnectionOptions } from './options.js';
import type { RedisClient } from './scripts/define-script.js';
import { isReadableUrl, isRedisUrl, READABLE_URL, readServersUrl, REDIS_URL, type ServersUrl } from './url.js';

/** @throws AsyncEndpointsError `INVALID_OPTION` */
export function checkConnectionOptions(options: RedisConnectionOptions): void {
  const { url, redis, cluster, client, connect = 'fail-fast', commandTimeoutMs = 1 } = options;
  const ways = [url ?? redis, cluster, client].filter((way) => way !== undefined);
  if (ways.length > 1) throw invalid('only one of url (with or without redis), cluster and client');
  if (cluster && !(Array.isArray(cluster.nodes) && cluster.nodes.length > 0)) {
    throw invalid('at least one node in cluster.nodes');
  }
  // A path is that of a socket.
  const isOfOne = url !== undefined && /^(rediss?:\/\/|\/)./.test(url);
  if (url !== undefined && !isOfOne && !isRedisUrl(url)) throw invalid(`a url, ${REDIS_URL}`);
  const urls = [isOfOne ? url : '', ...(cluster?.nodes ?? [])].filter(
    (one) => typeof one === 'string' && one.includes('://'),
  );
  if (!urls.every((one) => isReadableUrl(one as string))) throw invalid(READABLE_URL);
  const readsNumbers = [redis, cluster?.options?.redisOptions, optionsOf(client)].every((one) => !one?.stringNumbers);
  if (!readsNumbers) throw invalid('a client without stringNumbers');
  const keyPrefixes = [redis, cluster?.options, client?.options].map((one) => one?.keyPrefix ?? '');
  // To a cluster, an empty tag is none: the keys of a partition would be all over it.
  if (keyPrefixes.some((one) => /^[^{]*\{\}/.test(one))) throw invalid('a keyPrefix without "{}"');
  if (!CONNECT.includes(connect)) throw invalid(`connect to be ${CONNECT.join(' or ')}`, connect);
  const [from, to] = COMMAND_TIMEOUT_MS;
  if (!Number.isInteger(commandTimeoutMs) || commandTimeoutMs < from || commandTimeoutMs > to) {
    throw invalid(`commandTimeoutMs to be an integer from ${from} to ${to}`, commandTimeoutMs);
  }
}

/** @throws AsyncEndpointsError `INVALID_OPTION` */
export function checkPrefix(prefix: string): void {
  if (!PREFIX.pattern.test(prefix)) throw invalid(`prefix to be ${PREFIX.expected}`, prefix);
}

function optionsOf(client: RedisClient | undefined): Pick<RedisOptions, 'stringNumbers'> | undefined {
  return client instanceof Cluster ? client.options.redisOptions : client?.options;
}

/** Where the keys of a client are, as far as it adds something to their names or to where they are. */
export function spaceOf(client: RedisClient): { database: number; keyPrefix: string } {
  const { db, keyPrefix } = client.options as RedisOptions;
  return { database: db ?? 0, keyPrefix: keyPrefix ?? '' };
}

/** How often a call whose bytes move may take its time. After as long ioredis gives up a connection that says nothing. */
export const MOST_TIMES = 4;

/** How long ioredis waits for the other end when it closes a connection, instead of 2 s: it keeps the process alive so long. */
const PROMPT: RedisOptions = { disconnectTimeout: 100 };

/** Of connections that listen or block: they wait for long on purpose: no deadline, and no giving up while the server is away. */
const PATIENT: RedisOptions = {
  commandTimeout: undefined,
  maxRetriesPerRequest: null,
  enableOfflineQueue: true,
  lazyConnect: false,
  ...PROMPT,
};

/**
 * Ends a client at once, in whatever state it is, and leaves nothing behind that keeps the process alive. What was asked of it
 * may never be answered: ioredis drops what it kept for a connection that does not come back.
 */
export function hangUp(client: RedisClient): void {
  const sockets = client instanceof Cluster ? client.nodes() : [client];
  client.disconnect();
  // ioredis 5 waits for an answer on a connection that is closed by then, and has no other way to be told.
  for (const socket of sockets)
    clearTimeout((socket as unknown as { socketTimeoutTimer?: NodeJS.Timeout }).socketTimeoutTimer);
}

/** Changes as long as bytes arrive, or leave this process. What the system takes at once says nothing of the other end. */
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

/** Opens a connection anew that is believed dead. Those of a cluster are left to ioredis, for others there may live. */
export function reconnect(client: RedisClient, why: Error): void {
  if (!(client instanceof Cluster) && client.status === 'ready') client.stream.destroy(why);
}

/** A client of our own, which connects when told to. */
export function ownClient(options: RedisConnectionOptions, commandTimeoutMs: number): RedisClient {
  const { url = 'redis://127.0.0.1:6379', redis } = options;
  const servers = readServersUrl(url);
  const cluster = options.cluster ?? (servers?.kind === 'cluster' ? clusterOf(servers, redis) : undefined);
  const impatient: RedisOptions = {
    // A call's own deadline is `inTime`, which knows whether bytes move and whether this process was busy. This one ends what
    // nobody waits for: a handshake without an answer, and calls to a node of a cluster.
    socketTimeout: MOST_TIMES * commandTimeoutMs,
    connectTimeout: commandTimeoutMs,
    sentinelCommandTimeout: commandTimeoutMs,
    // While there is no connection a call fails at once; what it was in the middle of is not sent a second time.
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
  // Of its arguments ioredis takes the first that has an option, whatever its types say of their order.
  const Client = Redis as unknown as new (options: RedisOptions, url: string) => Redis;
  if (!servers) return new Client({ ...impatient, lazyConnect: true, ...redis }, url);
  const sentinels = { sentinels: [...servers.servers], name: servers.name };
  return new Redis({ ...impatient, lazyConnect: true, ...sentinels, ...servers.options, ...redis });
}

function clusterOf({ servers, options }: ServersUrl, redis: RedisOptions = {}): RedisConnectionOptions['cluster'] {
  // Certificates are for names: with TLS, a name is not replaced by its address.
  const dnsLookup: ClusterOptions['dnsLookup'] = (name, resolve) => resolve(null, name);
  return {
    nodes: [...servers],
    options: { redisOptions: { ...options, ...redis }, ...(options.tls && { dnsLookup }) },
  };
}

/** The longest that the work connection is asked to block. */
export const BLOCK_MS = 10_000;
/** Redis answers a blocking call that long after its timeout at the latest; a connection that does not is dead. */
const PATIENCE_MS = 3_000;

/** A client like another, for calls that block. */
export function workClient(commands: RedisClient): RedisClient {
  const blocking = { ...PATIENT, socketTimeout: BLOCK_MS + PATIENCE_MS };
  if (!(commands instanceof Cluster)) return commands.duplicate(blocking);
  return commands.duplicate([], { enableOfflineQueue: true, lazyConnect: false, redisOptions: blocking });
}

/** A client like another, to listen. In a cluster any node will do: each hears what is published on every other. */
export function listeningClient(commands: RedisClient, socketTimeout: number): Redis | undefined {
  const listening = { ...PATIENT, autoResubscribe: false, socketTimeout };
  if (!(commands instanceof Cluster)) return commands.duplicate(listening);
  const nodes = commands.nodes();
  const node = nodes[Math.floor(Math.random() * nodes.length)];
  return node?.duplicate({ ...listening, retryStrategy: () => null, readOnly: false });
}

/** The server is a replica now: whoever is master is found by connecting anew. */
function wasDemoted(error: Error): boolean {
  return error.message.includes('READONLY');
}

/** No value where there may be a password in it. */
function invalid(expected: string, value?: unknown): AsyncEndpointsError {
  const shown = typeof value === 'number' ? String(value) : JSON.stringify(value);
  const found = value === undefined ? '' : `; it is ${shown}`;
  return new AsyncEndpointsError('INVALID_OPTION', `RedisJobStore expects ${expected}${found}.`);
}
