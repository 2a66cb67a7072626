import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { eventually } from 'nestjs-async-endpoints/testing';
import { type RedisServer, startRedisServer } from './redis-server.js';

const run = promisify(execFile);

/** Three masters on free ports, with all slots between them. */
export interface RedisCluster {
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  stop(): Promise<void>;
}

export async function startRedisCluster(): Promise<RedisCluster> {
  const masters = await Promise.all([1, 2, 3].map(() => startRedisServer(['--cluster-enabled', 'yes'])));
  const addresses = masters.map(({ port }) => `127.0.0.1:${port}`);
  const [first] = masters as [RedisServer];
  await run('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes']);
  await eventually(async () => {
    const { stdout } = await run('redis-cli', ['-p', String(first.port), 'cluster', 'info']);
    return stdout.includes('cluster_state:ok');
  });
  return {
    nodes: masters.map(({ port }) => ({ host: '127.0.0.1', port })),
    stop: async () => void (await Promise.all(masters.map((master) => master.stop()))),
  };
}
