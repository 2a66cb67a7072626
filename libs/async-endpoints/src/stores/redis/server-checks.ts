import { randomUUID } from 'node:crypto';
import { Cluster, type Redis } from 'ioredis';
import { withoutArguments } from '../../store/unavailable.js';
import { SCRIPT_COMMANDS } from './access.js';
import { checkScript } from './scripts/check.lua.js';
import type { RedisClient } from './scripts/define-script.js';

const LEAST_VERSION = [6, 2] as const;
/** The digest of the script that the check loads with `EVAL`. */
const RETURN_1 = 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db';

/** Errors of a server that will accept commands again without help. */
const PASSING = /^(OOM|MISCONF|BUSY|LOADING)/;

/** The keys and channels of the store. */
export interface CheckedPlace {
  /** The beginning of the keys of the check. */
  readonly keys: string;
  readonly channel: string;
}

/**
 * Tries every command that the store needs.
 *
 * @param subscribe subscribes to a channel and unsubscribes
 * @returns warnings about the settings of the server
 * @throws Error that names each refused command, or states that the server is too old, a replica, or of another kind
 */
export async function checkServer(
  commands: RedisClient,
  place: CheckedPlace,
  subscribe: (channel: string) => Promise<void>,
): Promise<string[]> {
  // The client of a cluster node connects at its first command, and refuses further ones until it is connected.
  const servers = commands instanceof Cluster ? commands.nodes('master') : [commands];
  await Promise.all(servers.map((server) => requireServer(server, commands instanceof Cluster)));
  const refused = await refusedCommands(commands, place, subscribe);
  if (refused.length > 0) throw new Error(`It refuses ${refused.join('; ')}`);
  return [...new Set((await Promise.all(servers.map(settingsWarnings))).flat())];
}

async function refusedCommands(
  commands: RedisClient,
  { keys, channel }: CheckedPlace,
  subscribe: (channel: string) => Promise<void>,
): Promise<string[]> {
  const key = `${keys}check:${randomUUID()}`;
  const tried: [string, () => Promise<unknown>][] = [
    ['PING', () => commands.ping()],
    ['EVAL', () => commands.eval('return 1', 1, key)],
    ['EVALSHA', () => commands.evalsha(RETURN_1, 1, key)],
    ['BZPOPMIN', () => commands.bzpopmin(key, 0.001)],
    ['HSETNX', () => commands.hsetnx(key, 'a', '1')],
    ['DEL', () => commands.del(key)],
    ['MULTI', () => commands.multi().exists(key).exec()],
    ['SMEMBERS', () => commands.smembers(key)],
    ['SSCAN', () => commands.sscan(key, '0')],
    ['SUBSCRIBE', () => subscribe(channel)],
  ];
  const refused: string[] = [];
  for (const [name, attempt] of tried) {
    const error = await attempt().then(
      () => undefined,
      (cause: unknown) => withoutArguments(cause),
    );
    if (error && PASSING.test(error.message)) continue;
    if (error?.message.startsWith('READONLY')) throw new Error('It is a read-only replica; connect to its master');
    if (error && (error.name === 'ReplyError' || name === 'SUBSCRIBE')) refused.push(`${name} (${error.message})`);
    else if (error) throw error;
  }
  if (refused.some((one) => one.startsWith('EVAL'))) return refused;
  const replies = await checkScript.run(commands, [key], [channel, ...SCRIPT_COMMANDS]).catch((cause: unknown) => {
    if (!PASSING.test(withoutArguments(cause).message)) throw cause;
    return [];
  });
  for (let at = 0; at < replies.length; at += 2) refused.push(`${replies[at]} (${replies[at + 1]})`);
  return [...new Set(refused)];
}

/**
 * @throws Error when the server is too old for the scripts, or when it is a cluster node or a Sentinel and the client is for one
 * server
 */
async function requireServer(client: Redis, isOfCluster: boolean): Promise<void> {
  const text = await client.info('server');
  const [, mode] = /^redis_mode:(\w+)/m.exec(text) ?? [];
  if (mode === 'cluster' && !isOfCluster)
    throw new Error(
      'It is a node of a cluster; connect with a URL such as redis+cluster://host:6379, or a Cluster client',
    );
  if (mode === 'sentinel')
    throw new Error('It is a Sentinel; connect with a URL such as redis+sentinel://host:26379/name-of-the-master');
  const version = /^redis_version:(\d+)\.(\d+)\S*/m.exec(text);
  if (!version) return; // some compatible servers do not report a version
  const [, major, minor] = version.map(Number) as [number, number, number];
  if (major > LEAST_VERSION[0] || (major === LEAST_VERSION[0] && minor >= LEAST_VERSION[1])) return;
  throw new Error(`Redis ${major}.${minor} is too old; RedisJobStore needs ${LEAST_VERSION.join('.')} or newer.`);
}

/** Warnings about the settings of the server. Empty when `CONFIG` is not permitted. */
async function settingsWarnings(client: Redis): Promise<string[]> {
  try {
    const get = async (name: string) => (await client.config('GET', name))[1] ?? '';
    const [policy, memory, aof, save] = [
      await get('maxmemory-policy'),
      await get('maxmemory'),
      await get('appendonly'),
      await get('save'),
    ];
    return [
      ...(memory !== '0' && policy !== 'noeviction'
        ? [`Redis may evict jobs when its memory is full: set maxmemory-policy to noeviction (it is ${policy}).`]
        : []),
      ...(aof === 'no' && save === '' ? ['Redis keeps nothing on disk: jobs are lost when it restarts.'] : []),
    ];
  } catch {
    return [];
  }
}
