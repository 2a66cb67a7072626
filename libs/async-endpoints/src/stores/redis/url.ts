import type { ClusterNode, RedisOptions } from 'ioredis';

/** The parts of a URL of several servers. */
export interface ServersUrl {
  readonly kind: 'cluster' | 'sentinel';
  readonly servers: readonly Required<Exclude<ClusterNode, string | number>>[];
  /** The name of the master in the Sentinels; '' for a cluster. */
  readonly name: string;
  /** Options for the Redis servers: user, password, database, and TLS, which then applies to Sentinels too. */
  readonly options: RedisOptions;
}

/** The expected form of a URL, for error messages. */
export const REDIS_URL =
  'something like redis://127.0.0.1:6379, redis+cluster://host:6379,host:6379 or redis+sentinel://host:26379/name';

const SERVERS =
  /^redis(s)?\+(cluster|sentinel):\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^@/?#]+)(?:\/([^/?#]*))?(?:\/(\d+))?$/;
const SERVER = /^(\[[\da-fA-F:.]+\]|[^\s:,[\]]+)(?::(\d{1,5}))?$/;
const DEFAULT_PORT = { cluster: 6_379, sentinel: 26_379 };

/** Whether {@link readServersUrl} or ioredis can read the URL. */
export function isRedisUrl(url: string): boolean {
  return readServersUrl(url) !== null || (/^rediss?:\/\/./.test(url) && isReadableUrl(url));
}

/** Reads the URL of a cluster or of Sentinels. Null for a URL of another kind, which ioredis reads, and for an invalid one. */
export function readServersUrl(url: string): ServersUrl | null {
  const [, tls, kind, username, password, hosts = '', name = '', database] = SERVERS.exec(url) ?? [];
  if (kind !== 'cluster' && kind !== 'sentinel') return null;
  const servers = hosts.split(',').map((text) => serverOf(text, DEFAULT_PORT[kind]));
  // A cluster has one database only, and Sentinels need the name of the master.
  const isWhole = kind === 'cluster' ? name === '' && database === undefined : name !== '';
  if (!isWhole || servers.some((server) => server === null)) return null;
  try {
    const options: RedisOptions = {
      ...(username && { username: decodeURIComponent(username) }),
      ...(password && { password: decodeURIComponent(password) }),
      ...(database !== undefined && { db: Number(database) }),
      ...(tls && { tls: {}, ...(kind === 'sentinel' && { enableTLSForSentinelMode: true, sentinelTLS: {} }) }),
    };
    return { kind, servers: servers as ServersUrl['servers'], name: decodeURIComponent(name), options };
  } catch {
    return null; // an invalid percent encoding
  }
}

function serverOf(text: string, defaultPort: number): ServersUrl['servers'][number] | null {
  const [, host, port = defaultPort] = SERVER.exec(text.trim()) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return null;
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

/** The expected form of a URL. Error messages leave out the value, which may contain a password. */
export const READABLE_URL =
  'a url that can be read: in the user and the password write % as %25, # as %23, / as %2F and ? as %3F';

/**
 * Whether ioredis can read the URL. For an invalid one, `URL` throws an error with the whole URL, password included, as a
 * property, which Node prints when the process ends with that error.
 */
export function isReadableUrl(url: string): boolean {
  try {
    const { username, password } = new URL(url);
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}
