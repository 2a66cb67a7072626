import { eventually } from 'nestjs-async-endpoints/testing';
import { redisCli } from './redis-cli.js';
import { type RedisServer, startRedisServer, startRedisServerWithFile } from './redis-server.js';

const SENTINELS = 3;
const MANY_MS = 60_000;

/** A master, a replica, and three sentinels that make the one the other when it vanishes for half a second. */
export interface RedisSentinel {
  /** What the sentinels call the master. */
  readonly name: string;
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  /** Whom the sentinels believe to be master now. */
  master(): Promise<RedisServer>;
  /** Has the sentinels make the replica the master, though nothing is wrong. Resolves when they are told to. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

/** One sentinel that watches a master which is there already. */
export function startSentinelOf(name: string, { port }: RedisServer): Promise<RedisServer> {
  return startRedisServerWithFile([`sentinel monitor ${name} 127.0.0.1 ${port} 1`], ['--sentinel']);
}

export async function startRedisSentinel(): Promise<RedisSentinel> {
  const name = 'main';
  const first = await startRedisServer(['--repl-diskless-sync-delay', '0']);
  const second = await startRedisServer(['--replicaof', `127.0.0.1 ${first.port}`]);
  const servers = [first, second];
  const settings = [
    `sentinel monitor ${name} 127.0.0.1 ${first.port} 2`,
    `sentinel down-after-milliseconds ${name} 500`,
    `sentinel failover-timeout ${name} 2000`,
  ];
  const sentinels = await Promise.all(
    Array.from({ length: SENTINELS }, () => startRedisServerWithFile(settings, ['--sentinel'])),
  );
  const ask = (port: number, ...command: string[]) => cli(port, 'sentinel', ...command);
  await eventually(async () => {
    const states = await Promise.all(sentinels.map(({ port }) => ask(port, 'master', name)));
    const [others, replicas] = [/^num-other-sentinels\n2$/m, /^num-slaves\n1$/m];
    if (!states.every((state) => others.test(state) && replicas.test(state))) return false;
    return (await cli(second.port, 'info', 'replication')).includes('master_link_status:up');
  }, MANY_MS);
  const [{ port }] = sentinels as [RedisServer];
  return {
    name,
    sentinels: sentinels.map((sentinel) => ({ host: '127.0.0.1', port: sentinel.port })),
    async master() {
      const [, masterPort] = (await ask(port, 'get-master-addr-by-name', name)).split('\n');
      return servers.find((server) => String(server.port) === masterPort) as RedisServer;
    },
    failOver: async () => void (await ask(port, 'failover', name)),
    stop: async () => void (await Promise.all([...sentinels, ...servers].map((server) => server.stop()))),
  };
}

function cli(port: number, ...command: string[]): Promise<string> {
  return redisCli('-p', String(port), ...command);
}
