import type { Redis } from 'ioredis';
import { aJob } from '../../testing/index.js';
import type { RedisKeys } from './keys.js';
import type { RedisJobStore } from './redis-job-store.js';
import { redisStoreTest } from './redis-store.testing.js';

const LIMITS = { queueLimit: 100_000 };
const SHORT = { completedMs: 1, failedMs: 1, canceledMs: 1 };

describe('A sweep of RedisJobStore', () => {
  const on = redisStoreTest();
  let client: Redis;
  let store: RedisJobStore;
  let keys: RedisKeys;
  let prefix: string;

  beforeEach(() => {
    ({ client, store, prefix } = on);
    keys = on.keys();
  });

  const sweep = () => store.recover({ limit: 100, maxCrashes: 3 });
  const submit = async (count: number, over: Parameters<typeof aJob>[0] = {}) => {
    const jobs = Array.from({ length: count }, () => aJob(over));
    await store.submit(jobs, LIMITS);
    return jobs.map(({ id }) => id);
  };
  const claim = (limit: number, name = 'Work') =>
    store.claim({ worker: 'w', leaseMs: 1_000, limit, slots: new Map([[name, limit]]) });

  const places: Record<string, Parameters<typeof aJob>[0]> = {
    'a line': {},
    'the sorted set': { priority: 1 },
    'the schedule': { delayMs: 60_000 },
  };
  it.each(Object.entries(places))('ends QUEUE_FULL after the jobs in %s were removed by hand', async (_, over) => {
    const ids = await submit(5, over);
    await client.hdel(keys.jobs, ...ids);
    const full = await store.submit([aJob()], { queueLimit: 5 });
    expect(full).toEqual([{ outcome: 'refused', limit: 'total' }]);
    await sweep();
    const [submission] = await store.submit([aJob({ queueLimit: 1 })], { queueLimit: 5 });
    expect(submission?.outcome).toBe('created');
    expect(await store.audit()).toEqual([]);
  });

  it.each(['waiting', 'Q:Work', 'S:Work', 'P:Work'])('corrects a counter that is too high: %s', async (counter) => {
    await submit(3);
    await submit(2, { delayMs: 10 });
    await claim(1);
    await client.hincrby(keys.counters, counter, 7);
    await sweep();
    expect(await store.audit()).toEqual([]);
  });

  it.each(['waiting', 'S:Work', 'P:Work'])('corrects a counter that is too low: %s', async (counter) => {
    await submit(3, { priority: 1 });
    await submit(2, { delayMs: 10 });
    await claim(1);
    await client.hincrby(keys.counters, counter, -9);
    await sweep();
    expect(await store.audit()).toEqual([]);
  });

  it.each([9_000_000, -9_000_000])(
    'limits a counter of bytes that is wrong by %s, and accepts jobs meanwhile',
    async (by) => {
      const ids = await submit(2);
      for (const counter of ['waitingBytes', 'bytes:Q:Work']) await client.hincrby(keys.counters, counter, by);
      const limits = { queueLimit: 100, queueBytes: 100_000 };
      const own = { queueBytes: 100_000 };
      expect(await store.submit([aJob(own)], limits)).toMatchObject([{ outcome: 'created' }]);
      await sweep();
      const counters = await client.hmget(keys.counters, 'waitingBytes', 'bytes:Q:Work');
      expect(counters).toEqual(Array(2).fill(by > 0 ? String(3 * 4_096) : null)); // 4,096: no record was larger so far
      await store.cancel(ids);
      await claim(1);
      await sweep();
      expect(await store.audit()).toEqual([]);
    },
  );

  it('changes no correct counter', async () => {
    const [canceled] = await submit(3); // its entry stays in the line
    await submit(3, { priority: 1 });
    await submit(3, { delayMs: 10 });
    await store.cancel([canceled as string]);
    on.now += 10;
    await claim(2);
    const before = await client.hgetall(keys.counters);
    await sweep();
    expect(await client.hgetall(keys.counters)).toEqual(before);
  });

  it('deletes a name without jobs, which the next submission adds again', async () => {
    const names = Array.from({ length: 450 }, (_, n) => `Name${n}`);
    await store.submit(
      names.map((name) => aJob({ name, retention: SHORT })),
      LIMITS,
    );
    const slots = new Map(names.map((name) => [name, 1]));
    const claims = await store.claim({ worker: 'w', leaseMs: 1_000, limit: 1_000, slots });
    await store.settle(
      claims.map(({ job, fence }) => ({ id: job.id, name: job.name, fence, verb: 'complete', result: null })),
    );
    on.now += 2_000; // the leases go as well
    await store.purge(1_000);
    await sweep();
    const left = (await client.keys(`{${prefix}:*`)).map((key) => key.slice(keys.jobs.length - 'jobs'.length));
    expect(left).toEqual(['counters']);
    const woken = store.waitForWork(['Name7'], new AbortController().signal);
    await submit(1, { name: 'Name7' });
    await woken;
    expect(await claim(1, 'Name7')).toHaveLength(1);
    expect((await store.stats()).map(({ name }) => name)).toEqual(['Name7']);
    expect(await store.audit()).toEqual([]);
  });

  it('keeps a name that has any entry', async () => {
    const stays: string[] = [];
    for (const [name, over] of Object.entries(places)) {
      stays.push(name);
      await submit(1, { ...over, name });
    }
    stays.push('running', 'failed', 'canceled', 'completed');
    for (const name of ['running', 'failed', 'canceled', 'completed']) {
      const [id = ''] = await submit(1, { name });
      const [claimed] = await claim(1, name);
      const held = { id, name, fence: claimed?.fence as number };
      if (name === 'failed') await store.settle([{ ...held, verb: 'fail', error: { code: 'E', message: 'm' } }]);
      if (name === 'completed') await store.settle([{ ...held, verb: 'complete', result: null }]);
      if (name === 'canceled') await store.cancel([id]);
    }
    await sweep();
    expect([...new Set((await store.stats()).map(({ name }) => name))]).toEqual(stays.toSorted());
  });

  it('does not end a listing at a name that was deleted', async () => {
    const [stays] = await submit(1, { name: 'B' });
    const [gone = ''] = await submit(1, { name: 'A', retention: SHORT });
    const page = await store.list({}, { limit: 1 });
    expect(page.jobs.map(({ id }) => id)).toEqual([gone]);
    await store.cancel([gone]);
    on.now += 10;
    await store.purge(10);
    await sweep();
    const rest = await store.list({}, { limit: 10, cursor: page.cursor as string });
    expect(rest.jobs.map(({ id }) => id)).toEqual([stays]);
  });
});
