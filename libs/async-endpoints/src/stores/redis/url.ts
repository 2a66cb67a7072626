import type { ClusterNode, RedisOptions } from 'ioredis';

/** What a URL of several servers says. */
export interface ServersUrl {
  readonly kind: 'cluster' | 'sentinel';
  readonly servers: readonly Required<Exclude<ClusterNode, string | number>>[];
  /** What the Sentinels call the master; '' for a cluster. */
  readonly name: string;
  /** For the Redis servers: user, password, database, and TLS, which is then used for Sentinels too. */
  readonly options: RedisOptions;
}

/** What a URL may be, in words. */
export const REDIS_URL =
  'something like redis://127.0.0.1:6379, redis+cluster://host:6379,host:6379 or redis+sentinel://host:26379/name';

const SERVERS =
  /^redis(s)?\+(cluster|sentinel):\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^@/?#]+)(?:\/([^/?#]*))?(?:\/(\d+))?$/;
const SERVER = /^(\[[\da-fA-F:.]+\]|[^\s:,[\]]+)(?::(\d{1,5}))?$/;
const DEFAULT_PORT = { cluster: 6_379, sentinel: 26_379 };

/** Whether it is one that {@link readServersUrl} reads, or that ioredis does. */
export function isRedisUrl(url: string): boolean {
  return readServersUrl(url) !== null || (/^rediss?:\/\/./.test(url) && isReadableUrl(url));
}

/** Of a cluster or of Sentinels; null for any other, which is left to ioredis, and for one that is wrong. */
export function readServersUrl(url: string): ServersUrl | null {
  const [, tls, kind, username, password, hosts = '', name = '', database] = SERVERS.exec(url) ?? [];
  if (kind !== 'cluster' && kind !== 'sentinel') return null;
  const servers = hosts.split(',').map((text) => serverOf(text, DEFAULT_PORT[kind]));
  // Clusters have one database, and Sentinels are asked for a master by its name.
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
    return null; // a % that begins no character
  }
}

function serverOf(text: string, defaultPort: number): ServersUrl['servers'][number] | null {
  const [, host, port = defaultPort] = SERVER.exec(text.trim()) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return null;
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

/** What a URL must be; without the value, which may have a password in it. */
export const READABLE_URL =
  'a url that can be read: in the user and the password write % as %25, # as %23, / as %2F and ? as %3F';

/**
 * Whether ioredis can read it. What it cannot read makes `URL` throw an error that has the whole URL, password included, as a
 * property, and Node prints that when the process ends by it.
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
