/**
 * Every command of the store's scripts, except those that only a repair uses. The arguments change only `$`, a key that nothing
 * else uses; `%` is a channel. The check at boot tries all of them, and the access rules list their names.
 */
export const SCRIPT_COMMANDS = [
  'TIME',
  'PUBSUB NUMSUB %',
  'PUBLISH % check',
  'GET $',
  'EXISTS $',
  'HSET $ a 1 b 1',
  'PEXPIRE $ 60000',
  'HGET $ a',
  'HMGET $ a b',
  'HGETALL $',
  'HEXISTS $ a',
  'HLEN $',
  'HSCAN $ 0',
  'HINCRBY $ a 1',
  'HDEL $ a',
  'DEL $',
  'RPUSH $ a b',
  'LINDEX $ 0',
  'LLEN $',
  'LRANGE $ 0 -1',
  'LPOP $',
  'DEL $',
  'SADD $ a',
  'SREM $ a',
  'ZADD $ 1 a 2 b',
  'ZCARD $',
  'ZRANGE $ 0 -1',
  'ZRANGEBYSCORE $ 0 1',
  'ZRANK $ a',
  'ZREM $ a',
  'DEL $',
  'SET $ a PX 1000',
  'DEL $',
] as const;

/** The commands that the store sends apart from scripts, and those that ioredis sends itself. */
const OTHER_COMMANDS = [
  'eval',
  'evalsha',
  'bzpopmin',
  'multi',
  'exec',
  'subscribe',
  'unsubscribe',
  'hsetnx',
  'smembers',
  'sscan',
];
const OF_CONNECTIONS = ['ping', 'info', 'quit'];
const OF_CLUSTERS = ['cluster|slots', 'cluster|info', 'asking', 'readonly'];
/** The commands that only `audit()` and its repair use. */
export const OF_AUDITS = ['scan', 'pttl', 'type', 'lrem'];

export interface AccessOptions {
  /** The option `prefix` of the store. Default `ae`. */
  prefix?: string;
  /** The option `partitions` of the store. Default 1. */
  partitions?: number;
  /** The number of the database. Default 0. */
  database?: number;
  /**
   * Whether the user may also run `audit()` and its repair. It lists the names of all keys of the server, and no access rule can
   * restrict that.
   */
  audit?: boolean;
}

/**
 * Returns the smallest set of access rules with which the store works, for `ACL SETUSER <name> on ><password> …` or a line of an
 * ACL file. `docs/secure.md` shows them, and a test runs the store with them.
 */
export function accessRules({
  prefix = 'ae',
  partitions = 1,
  database = 0,
  audit = false,
}: AccessOptions = {}): string[] {
  const keys = Array.from({ length: partitions }, (_, partition) => `~{${prefix}:${partition}}:*`);
  const called = SCRIPT_COMMANDS.map((command) => command.split(' ')[0]?.toLowerCase() as string);
  const names = called.map((name) => (name === 'pubsub' ? 'pubsub|numsub' : name));
  // Key patterns apply to all databases, so `SELECT` is restricted to this one.
  const ofDatabase = database === 0 ? [] : [`select|${database}`];
  const ofConnections = [...OF_CONNECTIONS, ...ofDatabase, ...OF_CLUSTERS];
  const commands = [...names, ...OTHER_COMMANDS, ...ofConnections, ...(audit ? OF_AUDITS : [])];
  const allowed = [...new Set(commands)].toSorted().map((name) => `+${name}`);
  return ['resetkeys', ...keys, 'resetchannels', `&${prefix}:${database}:*`, '-@all', ...allowed];
}
