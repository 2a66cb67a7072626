import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { eventually } from 'nestjs-async-endpoints/testing';
import { figure, System } from './system.js';

const MOST_CONNECTIONS = 3;
/** One (P8), and as many again for what happens to fall into so short a time. */
const MOST_COMMANDS_PER_SECOND = 2;
const IDLE_MS = 5_000;

describe('The load of an API and a worker on Redis', () => {
  let system: System;
  let redis: Redis;

  beforeAll(async () => {
    system = await System.start();
    redis = new Redis(system.redis.url);
  });

  afterEach(() => system.reset());

  afterAll(async () => {
    redis.disconnect();
    await system.stop();
  });

  it('is at most three connections each, for any number of jobs and clients', async () => {
    const ours = await connections(redis);
    const api = await system.api();
    const worker = await system.worker();
    const ids = await system.submit('Sleep', { durationMs: 600_000 }, 500);
    const followers = new AbortController();
    const { signal } = followers;
    const followed = ids.slice(-50).map((id) => api.client.request(`/jobs/${id}/events`, { signal }).catch(() => {}));
    await eventually(async () => (await worker.running()) === 8 && (await watchers(redis)) === 2);
    const withWorker = await connections(redis);
    await worker.kill();
    await connections(redis); // by the next time, Redis has seen that the worker's are closed
    const withoutWorker = await connections(redis);
    const [apis, workers] = [withoutWorker - ours, withWorker - withoutWorker];
    figure(`connections with 500 waiting jobs and 50 streams of events: API ${apis}, worker ${workers}`);
    expect(apis).toBeLessThanOrEqual(MOST_CONNECTIONS);
    expect(workers).toBeLessThanOrEqual(MOST_CONNECTIONS);
    followers.abort();
    await Promise.all(followed);
  });

  it('is a few commands per second without work', async () => {
    await Promise.all([system.api(LIBRARY_DEFAULTS), system.worker(LIBRARY_DEFAULTS)]);
    await eventually(async () => /blocked_clients:1/.test(await redis.info('clients')));
    const asked = new Map<string, number>();
    const monitor = monitored(system.redis.port, (source, command) => {
      const name = source === 'lua' ? 'within scripts' : command.toLowerCase();
      asked.set(name, (asked.get(name) ?? 0) + 1);
    });
    await sleep(IDLE_MS); // nothing announces that nothing happens
    monitor.destroy();
    const inScripts = asked.get('within scripts') ?? 0;
    const total = [...asked.values()].reduce((sum, count) => sum + count, 0) - inScripts;
    const rate = (count: number) => ((count * 1_000) / IDLE_MS).toFixed(1);
    figure(`commands of an idle API and worker: ${rate(total)}/s (${rate(inScripts)}/s more within their scripts)`);
    figure(`of these over ${IDLE_MS} ms: ${[...asked].map(([name, count]) => `${name} ${count}`).join(', ')}`);
    expect((total * 1_000) / IDLE_MS).toBeLessThanOrEqual(MOST_COMMANDS_PER_SECOND);
  });
});

/** Not the short leases and sweeps of the other tests. */
const LIBRARY_DEFAULTS = { ASYNC_WORKER_LEASE_MS: '', ASYNC_RECOVERY_SWEEP_INTERVAL_MS: '' };

async function connections(redis: Redis): Promise<number> {
  return String(await redis.call('CLIENT', 'LIST'))
    .split('\n')
    .filter(Boolean).length;
}

/** Connections that listen to channels. */
async function watchers(redis: Redis): Promise<number> {
  return String(await redis.call('CLIENT', 'LIST', 'TYPE', 'pubsub'))
    .split('\n')
    .filter(Boolean).length;
}

/** Hears of every command that the server runs. By hand, because ioredis 6 cannot read the answers to MONITOR. */
function monitored(port: number, hear: (source: string, command: string) => void): Socket {
  const socket = connect(port, '127.0.0.1', () => socket.write('MONITOR\r\n'));
  createInterface(socket).on('line', (line) => {
    const [, source, command] = /^\+[\d.]+ \[\d+ (\S+)\] "(\w+)"/.exec(line) ?? [];
    if (source && command) hear(source, command);
  });
  return socket;
}
