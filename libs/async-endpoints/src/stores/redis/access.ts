/**
 * Every command that the store's scripts call, but for what only a repair does, each with arguments that change nothing but `$`, a key that nothing else uses; `%`
 * is a channel. The check at boot tries them all, and the access rules are made of their names.
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

/** What the store sends beside scripts, and what ioredis sends for itself. */
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
/** What only `audit()` asks, and what its repair does besides. */
export const OF_AUDITS = ['scan', 'hscan', 'pttl', 'type', 'lrem'];

export interface AccessOptions {
  /** As of the store. Default `ae`. */
  prefix?: string;
  /** As of the store. Default 1. */
  partitions?: number;
  /** The number of the database. Default 0. */
  database?: number;
  /** Whether the user may run `audit()` as well, and its repair: it lists the names of all keys of the server, which no rule can narrow. */
  audit?: boolean;
}

/**
 * The smallest set of access rules with which the store works, for `ACL SETUSER <name> on ><password> …` or a line of an ACL file.
 * `docs/secure.md` shows them, and a test runs the store under them.
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
  // Keys are named without a database: another one is another application's.
  const ofDatabase = database === 0 ? [] : [`select|${database}`];
  const ofConnections = [...OF_CONNECTIONS, ...ofDatabase, ...OF_CLUSTERS];
  const commands = [...names, ...OTHER_COMMANDS, ...ofConnections, ...(audit ? OF_AUDITS : [])];
  const allowed = [...new Set(commands)].toSorted().map((name) => `+${name}`);
  return ['resetkeys', ...keys, 'resetchannels', `&${prefix}:${database}:*`, '-@all', ...allowed];
}
