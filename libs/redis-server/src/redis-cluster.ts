import { eventually } from 'nestjs-async-endpoints/testing';
import { redisCli } from './redis-cli.js';
import { type RedisServer, startRedisServer } from './redis-server.js';

const MASTERS = 3;
const MANY_MS = 60_000;

/** Three masters on free ports, with all slots between them, and replicas where they are asked for. */
export interface RedisCluster {
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  /** Who has a key now. */
  masterOf(key: string): Promise<RedisServer>;
  /** Has the replica of a master take over from it, in order. Resolves when it is told to. */
  failOver(master: RedisServer): Promise<void>;
  stop(): Promise<void>;
}

/**
 * @param options.replicas of each master
 * @param options.args for each `redis-server`, besides
 */
export async function startRedisCluster({ replicas = 0, args = [] as string[] } = {}): Promise<RedisCluster> {
  const usual = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--repl-diskless-sync-delay', '0'];
  const start = () => startRedisServer([...usual, ...args]);
  const servers = await Promise.all(Array.from({ length: MASTERS * (1 + replicas) }, start));
  const addresses = servers.map(({ port }) => `127.0.0.1:${port}`);
  await redisCli('--cluster', 'create', ...addresses, '--cluster-replicas', `${replicas}`, '--cluster-yes');
  const nodes = () => firstAnswer(servers, nodesOf);
  await eventually(async () => {
    const states = await Promise.all(servers.map(({ port }) => cli(port, 'cluster', 'info')));
    if (!states.every((state) => state.includes('cluster_state:ok'))) return false;
    return (await nodes()).filter(({ master }) => master !== null).length === MASTERS * replicas;
  }, MANY_MS);
  const serverOf = (port: number) => servers.find((server) => server.port === port) as RedisServer;
  return {
    nodes: servers.map(({ port }) => ({ host: '127.0.0.1', port })),
    async masterOf(key) {
      const slot = Number(await firstAnswer(servers, ({ port }) => cli(port, 'cluster', 'keyslot', key)));
      const owner = (await nodes()).find(({ slots }) => slots.some(([from, to]) => from <= slot && slot <= to));
      return serverOf((owner as ClusterNode).port);
    },
    async failOver(master) {
      const all = await nodes();
      const { id } = all.find(({ port }) => port === master.port) as ClusterNode;
      const replica = all.find((node) => node.master === id) as ClusterNode;
      await cli(replica.port, 'cluster', 'failover');
    },
    stop: async () => void (await Promise.all(servers.map((server) => server.stop()))),
  };
}

interface ClusterNode {
  readonly id: string;
  readonly port: number;
  /** The id of the node that it follows. */
  readonly master: string | null;
  readonly slots: readonly (readonly [from: number, to: number])[];
}

async function nodesOf({ port }: RedisServer): Promise<ClusterNode[]> {
  const lines = (await cli(port, 'cluster', 'nodes')).trim().split('\n');
  return lines.map((line) => {
    const [id, address, , master, , , , ...ranges] = line.split(' ') as [string, string, string, string];
    const slots = ranges.map((range: string) => range.split('-').map(Number)).map(([from, to = from]) => [from, to]);
    return {
      id,
      port: Number(/:(\d+)@/.exec(address)?.[1]),
      master: master === '-' ? null : master,
      slots: slots as [number, number][],
    };
  });
}

/** Of those that are there. */
async function firstAnswer<T>(servers: readonly RedisServer[], ask: (server: RedisServer) => Promise<T>): Promise<T> {
  return Promise.any(servers.map(ask));
}

function cli(port: number, ...command: string[]): Promise<string> {
  return redisCli('-p', String(port), ...command);
}
