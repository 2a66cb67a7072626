import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

const servers = new Set();

/** A Redis for the benchmark: free port, temporary folder, no persistence. */
export async function startRedis() {
  const folder = await mkdtemp(join(tmpdir(), 'async-endpoints-bench-'));
  const port = await freePort();
  const args = ['--port', port, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
  const server = spawn('redis-server', args.map(String), { stdio: 'ignore' });
  const exited = once(server, 'exit');
  const end = () => {
    server.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.on('exit', end);
  const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 20, maxRetriesPerRequest: 100 });
  client.on('error', () => {});
  await client.ping();
  const stop = async () => {
    servers.delete(stop);
    client.disconnect();
    end();
    process.off('exit', end);
    await exited;
  };
  servers.add(stop);
  return { port, client, stop, clear: () => client.flushall() };
}

/** Stops every running server, because one that is left keeps the benchmark from exiting. */
export function stopServers() {
  return Promise.all([...servers].map((stop) => stop()));
}

export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}
