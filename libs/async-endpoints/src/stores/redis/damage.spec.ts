import type { Redis } from 'ioredis';
import { aJob } from '../../testing/index.js';
import type { RedisKeys } from './keys.js';
import type { RedisJobStore } from './redis-job-store.js';
import { redisStoreTest } from './redis-store.testing.js';

const LIMITS = { queueLimit: 100_000 };
const SHORT = { completedMs: 1, failedMs: 1, canceledMs: 1 };

describe('RedisJobStore, when jobs were deleted or changed by hand', () => {
  const on = redisStoreTest({ args: ['--appendonly', 'yes'] });
  let client: Redis;
  let store: RedisJobStore;
  let keys: RedisKeys;

  beforeEach(() => {
    ({ client, store } = on);
    keys = on.keys();
  });

  const claim = (limit: number, leaseMs = 1_000) =>
    store.claim({ worker: 'w', leaseMs, limit, slots: new Map([['Work', limit]]) });
  const submit = async (count: number, over: Parameters<typeof aJob>[0] = {}) => {
    const jobs = Array.from({ length: count }, () => aJob(over));
    await store.submit(jobs, LIMITS);
    return jobs.map(({ id }) => id) as [string, ...string[]];
  };
  const sweep = () => store.recover({ limit: 100, maxCrashes: 3 });

  it('drops and reports entries of scheduled jobs that do not exist, once', async () => {
    const [gone] = await submit(1, { delayMs: 10 });
    const [next] = await submit(1, { delayMs: 20 });
    await client.hdel(keys.jobs, gone);
    on.now += 20;
    expect((await claim(5)).map(({ job }) => job.id)).toEqual([next]);
    expect(await claim(5)).toEqual([]);
    expect(on.heard).toEqual(['1 queue entries of jobs that do not wait in the queue were dropped: run an audit']);
  });

  it('deletes and reports claims of jobs that do not exist, and recovers the jobs behind them', async () => {
    const gone = await submit(150);
    await claim(150, 500);
    const [vanished] = await submit(1);
    await claim(1, 600);
    await client.hdel(keys.jobs, ...gone);
    on.now += 1_000;
    const recovered = [...(await sweep()), ...(await sweep())]; // the first learns the names
    expect(recovered.map(({ job }) => job.id)).toEqual([vanished]);
    expect(await sweep()).toEqual([]);
    expect(on.heard).toEqual([
      '100 claims of jobs that do not exist or cannot be read were deleted: run an audit',
      '50 claims of jobs that do not exist or cannot be read were deleted: run an audit',
    ]);
    expect(await client.exists(keys.claims, keys.leases, keys.running('Work'))).toBe(0);
    expect(await store.audit()).toEqual([]);
  });

  it('reads at most the limit of expired claims', async () => {
    const count = 60;
    await submit(count);
    for (let n = 1; n <= count; n++) await claim(1, n);
    on.now += 1_000;
    await client.config('RESETSTAT');
    expect(await store.recover({ limit: 1, maxCrashes: 3 })).toHaveLength(1);
    const read = Number(/cmdstat_hmget:calls=(\d+)/.exec(await client.info('commandstats'))?.[1]);
    expect(read).toBeLessThan(10);
    expect(await sweep()).toHaveLength(count - 1);
  });

  it('recovers many jobs that were claimed together in several steps', async () => {
    await submit(2_500);
    await claim(2_500);
    on.now += 1_000;
    let recovered = 0;
    for (let more = true; more;) {
      const jobs = await sweep();
      recovered += jobs.length;
      more = jobs.length === 100;
    }
    expect(recovered).toBe(2_500);
    expect(await store.audit()).toEqual([]);
  });

  it('does not recover a claim that was renewed during the sweep', async () => {
    const [id] = await submit(1);
    const [{ fence } = {} as never] = await claim(1);
    on.now += 1_000;
    const recovering = sweep(); // has asked whose lease has expired, and nothing else yet
    expect(await store.renew([{ id, fence, leaseMs: 5_000 }])).toEqual(['held']);
    expect(await recovering).toEqual([]);
    expect((await store.find([id]))[0]).toMatchObject({ status: 'InProgress', fence, crashes: 0 });
  });

  it('does not cancel a job whose id belonged to another name when it was read', async () => {
    const [id] = await submit(1, { retention: SHORT });
    await store.cancel([id]);
    on.now += 10;
    const canceling = store.cancel([id]); // has asked for its name
    await Promise.all([store.purge(1), store.submit([aJob({ id, name: 'Other' })], LIMITS)]);
    expect(await canceling).toEqual([null]);
    expect((await store.find([id]))[0]).toMatchObject({ name: 'Other', status: 'Queued' });
    expect(await store.audit()).toEqual([]);
  });
});
