import { randomUUID } from 'node:crypto';
import { type RedisServer, startRedisServer } from '@app/redis-server';
import { Redis } from 'ioredis';
import { aJob, eventually } from '../../testing/index.js';
import { RedisJobStore } from './redis-job-store.js';

/** Whoever is not woken would wait for the end of a blocking call, which is longer than a test may take. */
describe('RedisJobStore wakes', () => {
  let server: RedisServer;
  let client: Redis;
  let stores: RedisJobStore[];
  let prefix: string;
  let giveUp: AbortController;

  beforeEach(async () => {
    giveUp = new AbortController();
    server = await startRedisServer();
    client = new Redis(server.url);
    stores = [];
    prefix = randomUUID();
  });

  afterEach(async () => {
    for (const store of stores) await store.close();
    client.disconnect();
    await server.stop();
  });

  /** As a process of its own would. */
  const process = async () => {
    const store = new RedisJobStore({ url: server.url, prefix });
    await store.open();
    stores.push(store);
    return store;
  };
  const submit = (store: RedisJobStore, count: number, over: Parameters<typeof aJob>[0] = {}) =>
    store.submit(
      Array.from({ length: count }, () => aJob(over)),
      { queueLimit: 100 },
    );
  const claim = (store: RedisJobStore) =>
    store.claim({ worker: 'w', leaseMs: 1_000, limit: 1, slots: new Map([['Work', 1]]) });
  const blocked = (count: number) =>
    eventually(async () => new RegExp(`blocked_clients:${count}\\b`).test(await client.info('clients')));

  it('one process for one job, and one waiter in it', async () => {
    const [one, other] = [await process(), await process()];
    let woken = 0;
    const wait = (store: RedisJobStore) => store.waitForWork(['Work'], giveUp.signal).then(() => woken++);
    const waits = [wait(one), wait(one), wait(one)];
    await blocked(1);
    waits.push(wait(other));
    await blocked(2);
    await submit(other, 1);
    await eventually(() => woken > 0);
    await blocked(2); // both wait again
    expect(woken).toBe(1);
    giveUp.abort();
    await Promise.all(waits);
  });

  it('another process when a claim leaves jobs behind', async () => {
    const [one, other] = [await process(), await process()];
    const both = [one, other].map((store) =>
      store.waitForWork(['Work'], new AbortController().signal).then(() => store),
    );
    await blocked(2);
    await submit(one, 2);
    const woken = await Promise.race(both);
    expect(await claim(woken)).toHaveLength(1);
    const [last] = (await Promise.all(both)).filter((store) => store !== woken);
    expect(await claim(last as RedisJobStore)).toHaveLength(1);
  });

  it('another process when the woken one no longer waits', async () => {
    const [one, other] = [await process(), await process()];
    const noMore = new AbortController();
    const given = one.waitForWork(['Work'], noMore.signal);
    await blocked(1);
    const waiting = other.waitForWork(['Work'], new AbortController().signal);
    await blocked(2);
    noMore.abort();
    await given;
    await submit(other, 1);
    await waiting;
    expect(await claim(other)).toHaveLength(1);
  });

  it('a waiter that began to wait for another name meanwhile', async () => {
    const store = await process();
    const first = store.waitForWork(['Other'], giveUp.signal);
    await blocked(1);
    const second = store.waitForWork(['Work'], new AbortController().signal);
    await submit(store, 1);
    await second;
    expect(await claim(store)).toHaveLength(1);
    giveUp.abort();
    await first;
  });

  it('at the scheduledAt of a job, without a notification', async () => {
    const store = await process();
    await submit(store, 1, { delayMs: 300 });
    const claims: unknown[] = [];
    while (claims.length === 0) {
      await store.waitForWork(['Work'], giveUp.signal);
      claims.push(...(await claim(store)));
    }
    expect(claims).toHaveLength(1);
  });
});
