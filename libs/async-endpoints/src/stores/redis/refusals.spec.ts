import { rm } from 'node:fs/promises';
import type { RedisServer } from '@app/redis-server';
import type { Redis } from 'ioredis';
import { aJob, eventually } from '../../testing/index.js';
import type { RedisJobStore } from './redis-job-store.js';
import { redisStoreTest } from './redis-store.testing.js';

const LIMITS = { queueLimit: 100 };
const SHORT = { completedMs: 100, failedMs: 100, canceledMs: 100 };
const SWEEP = { limit: 10, maxCrashes: 1, sweep: { silenceMs: 500, leaseMs: 1_000 } };

describe('RedisJobStore on a server that refuses writes', () => {
  const on = redisStoreTest({
    args: ['--save', '3600 1000000'],
    options: { redis: { retryStrategy: () => 5 } },
    mend: ({ client: past }) => past.config('SET', 'maxmemory', '0', 'stop-writes-on-bgsave-error', 'no'),
    audited: true,
  });
  let server: RedisServer;
  let client: Redis;
  let store: RedisJobStore;

  beforeEach(() => {
    ({ server, client, store } = on);
  });

  const submit = async (over: Parameters<typeof aJob>[0] = {}) => {
    const job = aJob({ retention: SHORT, ...over });
    await store.submit([job], LIMITS);
    return job.id;
  };
  const claim = async () => {
    const slots = new Map([['Work', 1]]);
    const [{ job, fence } = {} as never] = await store.claim({ worker: 'w', leaseMs: 1_000, limit: 1, slots });
    return { id: job.id, name: 'Work', fence };
  };
  const complete = async (claimed: Awaited<ReturnType<typeof claim>>) =>
    store.settle([{ ...claimed, verb: 'complete', result: '1' }]);

  it('returns the used memory and connections of the server, and their limits', async () => {
    const { memory: before, connections } = await store.resources();
    expect(before).toEqual({ used: expect.any(Number), limit: null });
    expect(connections).toEqual({ used: expect.any(Number), limit: expect.any(Number) });
    await client.config('SET', 'maxmemory', '64mb');
    await submit({ payload: JSON.stringify('x'.repeat(500_000)) });
    const { memory: after } = await store.resources();
    expect(after?.limit).toBe(64 * 1024 * 1024);
    expect(after?.used).toBeGreaterThan(before!.used + 400_000);
  });

  it('that is full: refuses submissions with STORE_FULL, continues all other work, and recovers when space is free', async () => {
    for (let n = 0; n < 7; n++) await submit();
    const [expired, renewed, completed, retried, abandoned] = [
      await claim(),
      await claim(),
      await claim(),
      await claim(),
      await claim(),
    ];
    await complete(expired);
    expect(await store.recover(SWEEP)).toEqual([]);
    await client.config('SET', 'maxmemory', '1');

    await expect(store.submit([aJob()], LIMITS)).rejects.toMatchObject({ code: 'STORE_FULL' });
    await expect(store.ping()).rejects.toMatchObject({ code: 'STORE_FULL' });
    const keys = await client.dbsize();
    on.now += 400;
    const progress = { fraction: 0.5, message: null };
    const { id, fence } = renewed;
    expect(await store.renew([{ id, fence, leaseMs: 1_000, progress }])).toEqual(['held']);
    expect(await complete(completed)).toEqual([true]);
    const error = { code: 'E', message: 'm' };
    expect(await store.settle([{ ...retried, verb: 'retry', delayMs: 10_000, error }])).toEqual([true]);
    const waiting = await claim();
    expect(await store.settle([{ ...waiting, verb: 'release' }])).toEqual([true]);
    expect(await store.cancel([waiting.id])).toMatchObject([{ status: 'Canceled' }]);
    expect(await store.recover(SWEEP)).toEqual([]); // wakes those who wait for the last job, and notes the sweep
    on.now += 400;
    expect(await store.recover(SWEEP)).toEqual([]);
    on.now += 200;
    expect(await store.recover(SWEEP)).toMatchObject([{ job: { id: abandoned.id, status: 'Failed', crashes: 1 } }]);
    expect(await store.purge(10)).toHaveLength(3);
    expect(await store.find([expired.id, completed.id, renewed.id])).toMatchObject([
      null,
      null,
      { status: 'InProgress', progress, crashes: 0 },
    ]);
    expect(await store.claim({ worker: 'w', leaseMs: 1_000, limit: 1, slots: new Map([['None', 1]]) })).toEqual([]);
    expect(await client.dbsize()).toBeLessThanOrEqual(keys + 2); // the retry's, and a lease's

    await client.config('SET', 'maxmemory', '0');
    await submit();
    expect(on.heard).toEqual([
      expect.stringMatching(/^Redis is full and refuses new jobs, until this is mended: .*OOM command not allowed/),
      'Redis accepts new jobs and all changes again',
    ]);
  });

  it('that is full: purges any number of results past their retention', async () => {
    await store.submit(
      Array.from({ length: 50 }, () => aJob({ retention: SHORT })),
      LIMITS,
    );
    for (let n = 0; n < 50; n++) await complete(await claim());
    on.now += 1_000;
    await client.config('SET', 'maxmemory', '1');
    expect(await store.recover(SWEEP)).toEqual([]);
    expect(await store.purge(50)).toHaveLength(50);
    expect(await store.stats()).toEqual([]);
  });

  const readOnly: Record<string, { hurt: () => Promise<unknown>; mend: () => Promise<unknown> }> = {
    'that cannot write to its disk (MISCONF)': {
      async hurt() {
        await rm(server.folder, { recursive: true });
        await client.config('SET', 'stop-writes-on-bgsave-error', 'yes');
        await client.bgsave();
        await eventually(async () => (await client.info('persistence')).includes('rdb_last_bgsave_status:err'));
      },
      mend: () => client.config('SET', 'stop-writes-on-bgsave-error', 'no'),
    },
    'that is a replica by on.now (READONLY)': {
      hurt: () => client.replicaof('127.0.0.1', 1),
      mend: () => client.replicaof('NO', 'ONE'),
    },
    'whose replicas are away (NOREPLICAS)': {
      hurt: () => client.config('SET', 'min-replicas-to-write', '1'),
      mend: () => client.config('SET', 'min-replicas-to-write', '0'),
    },
  };
  it.each(Object.entries(readOnly))(
    '%s: rejects with STORE_READ_ONLY, and counts no crash',
    async (_, { hurt, mend }) => {
      await submit();
      const { id, fence } = await claim();
      await store.recover(SWEEP);
      await hurt();
      const refused = { code: 'STORE_READ_ONLY' };
      for (let passed = 0; passed < 3_000; passed += 500) {
        await expect(eventuallyConnected(() => store.submit([aJob()], LIMITS))).rejects.toMatchObject(refused);
        await expect(eventuallyConnected(() => store.renew([{ id, fence, leaseMs: 1_000 }]))).rejects.toMatchObject(
          refused,
        );
        await expect(eventuallyConnected(() => store.recover(SWEEP))).rejects.toMatchObject(refused);
        on.now += 500;
      }
      await expect(eventuallyConnected(() => store.ping())).rejects.toMatchObject(refused);
      expect(await eventuallyConnected(() => store.find([id]))).toMatchObject([{ status: 'InProgress', fence }]);
      await mend();
      expect(await eventuallyConnected(() => store.recover(SWEEP))).toEqual([]);
      on.now += 300;
      expect(await store.renew([{ id, fence, leaseMs: 1_000 }])).toEqual(['held']);
      on.now += 300;
      expect(await store.recover(SWEEP)).toEqual([]);
      await submit();
      expect(on.heard.filter((notice) => !notice.startsWith('The connection'))).toEqual([
        expect.stringMatching(/^Redis refuses all changes, until this is mended: /),
        'Redis accepts new jobs and all changes again',
      ]);
    },
  );
});

/** Told READONLY, the client connects anew, as the master may be another: what it is asked meanwhile fails of that. */
function eventuallyConnected<T>(call: () => Promise<T>): Promise<T> {
  return eventually(async () => {
    try {
      return { answer: await call() };
    } catch (error) {
      if ((error as { code?: string }).code === 'STORE_UNAVAILABLE') throw error;
      return { error };
    }
  }).then((reply) => {
    if ('error' in reply) throw reply.error;
    return reply.answer;
  });
}
