import { randomUUID } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { type RedisServer, startRedisServer } from '@app/redis-server';
import { Redis } from 'ioredis';
import { aJob, eventually } from '../../testing/index.js';
import type { RedisJobStoreOptions } from './options.js';
import { RedisJobStore } from './redis-job-store.js';

/** Longer than a test may take: what waits for an answer of Redis fails it. */
const TOO_LONG_MS = 60_000;

/** On all three connections: it waits for work, is watched, and has been asked. */
async function busy(options: RedisJobStoreOptions): Promise<{ store: RedisJobStore; waiting: Promise<void> }> {
  const store = new RedisJobStore({ prefix: randomUUID(), ...options });
  await store.open();
  const job = aJob({ name: 'Other' });
  await store.submit([job], { queueLimit: 1 });
  await store.subscribe({ job: job.id }, () => {});
  await store.subscribe({ worker: 'w' }, () => {});
  return { store, waiting: store.waitForWork(['Work'], new AbortController().signal) };
}

describe('RedisJobStore closes', () => {
  let server: RedisServer;
  let client: Redis;

  beforeEach(async () => {
    server = await startRedisServer();
    client = new Redis(server.url);
    client.on('error', () => {});
  });

  afterEach(async () => {
    client.disconnect();
    await server.stop();
  });

  const blocked = () => eventually(async () => /blocked_clients:1\b/.test(await client.info('clients')));
  const lost = (store: RedisJobStore) =>
    eventually(() =>
      store.ping().then(
        () => false,
        () => true,
      ),
    );

  it('during a blocking call', async () => {
    const { store, waiting } = await busy({ url: server.url, commandTimeoutMs: TOO_LONG_MS });
    await blocked();
    await store.close();
    await waiting;
    const connected = async () => /connected_clients:(\d+)/.exec(await client.info('clients'))?.[1];
    await eventually(async () => (await connected()) === '1');
    expect(await connected()).toBe('1');
  });

  it('while Redis is down and all connections reconnect, and opens again when it is back', async () => {
    const options = { url: server.url, commandTimeoutMs: TOO_LONG_MS, redis: { retryStrategy: () => TOO_LONG_MS } };
    const { store, waiting } = await busy(options);
    await blocked();
    await server.crash();
    await lost(store);
    await expect(Promise.all([store.close(), store.close(), waiting])).resolves.toBeDefined();
    await server.restart();
    await store.open();
    await store.ping();
    await store.close();
  });

  it('while Redis is down, on a client of the application', async () => {
    const own = new Redis(server.url, { retryStrategy: () => 20, maxRetriesPerRequest: 0, enableOfflineQueue: false });
    own.on('error', () => {});
    await new Promise((resolve) => own.once('ready', resolve));
    const { store, waiting } = await busy({ client: own, commandTimeoutMs: TOO_LONG_MS });
    await blocked();
    await server.crash();
    await lost(store);
    await expect(Promise.all([store.close(), waiting])).resolves.toBeDefined();
    own.disconnect();
  });

  it('while Redis hangs: within the deadline of a call', async () => {
    const { store, waiting } = await busy({ url: server.url, commandTimeoutMs: 300 });
    await blocked();
    server.pause();
    const asked = store.ping().catch((error: unknown) => error);
    await Promise.all([store.close(), waiting]);
    expect(await asked).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    server.resume();
  });

  it('while it has booted degraded', async () => {
    await server.crash();
    const redis = { retryStrategy: () => TOO_LONG_MS };
    const store = new RedisJobStore({ url: server.url, connect: 'degraded', commandTimeoutMs: TOO_LONG_MS, redis });
    await store.open();
    await store.waitForWork(['Work'], new AbortController().signal);
    await expect(Promise.all([store.subscribe({ worker: 'w' }, () => {}), store.close()])).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
  });

  it('without having been opened, and refuses every call before open and after close', async () => {
    const store = new RedisJobStore({ url: server.url });
    const refused = async () => {
      const calls = [
        store.ping(),
        store.submit([aJob()], { queueLimit: 1 }),
        store.find([randomUUID()]),
        store.stats(),
      ];
      const watch = store.subscribe({ worker: 'w' }, () => {});
      for (const call of [...calls, watch, store.list({}, { limit: 1 }), store.purge(1), store.audit()]) {
        await expect(call).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message: 'The job store is not open.' });
      }
      await store.waitForWork(['Work'], new AbortController().signal);
    };
    await store.close();
    await refused();
    await store.open();
    await store.close();
    await refused();
  });
});

describe('RedisJobStore, opening', () => {
  let silent: Server;
  let sockets: Socket[];

  beforeEach(async () => {
    sockets = [];
    silent = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
  });

  it.each(['fail-fast', 'degraded'] as const)('closes before a silent server has replied (%s)', async (connect) => {
    const { port } = silent.address() as { port: number };
    const url = `redis://127.0.0.1:${port}`;
    const store = new RedisJobStore({ url, connect, commandTimeoutMs: TOO_LONG_MS });
    const opening = store.open().catch((error: unknown) => error);
    await eventually(() => sockets.length > 0);
    await store.close();
    expect(await opening).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining('closed') });
    const again = store.open().catch((error: unknown) => error);
    await eventually(() => sockets.length > 1);
    await store.close();
    await again;
  });
});
