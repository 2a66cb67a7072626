import type { NewJob } from '../../job/job.js';
import { Batcher } from '../../store/batcher.js';
import type { Submission } from '../../store/job-store.js';
import { outcomesOf } from '../../store/parts.js';
import { aJob } from '../../testing/index.js';
import { redisStoreTest } from './redis-store.testing.js';

const LIMITS = { queueLimit: 100_000 };
const PARTITIONS = 4;
const SWEEP = { limit: 100, maxCrashes: 3 };

describe('RedisJobStore, while one of its partitions does not reply', () => {
  const on = redisStoreTest({
    args: ['--user', 'jobs', 'on', '>secret', '~*', '&*', '+@all'],
    options: { partitions: PARTITIONS, redis: { username: 'jobs', password: 'secret' } },
    mend: () => allow('~*'),
    audited: true,
  });
  const allow = (...keys: string[]) => on.client.call('ACL', 'SETUSER', 'jobs', 'resetkeys', ...keys);
  const refuse = () => allow(...[0, 1, 3].map((partition) => `~{${on.prefix}:${partition}}:*`));
  const isThere = async (id: string) =>
    Promise.any(
      [0, 1, 3].map(async (partition) => {
        if ((await on.client.hexists(on.keys(partition).jobs, id)) === 0) throw new Error('elsewhere');
      }),
    ).then(
      () => true,
      () => false,
    );

  it('returns the claims of the other partitions, so that every claimed job runs', async () => {
    const ids = await on.submit(40);
    const others = await Promise.all(ids.map(isThere));
    await refuse();
    const claims = await on.claim(1_000);
    expect(claims.map(({ job }) => job.id).toSorted()).toEqual(ids.filter((_, at) => others[at]).toSorted());
    await expect(on.claim(1_000)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('returns the settlements of the other partitions without delay', async () => {
    const ids = await on.submit(40);
    const others = await Promise.all(ids.map(isThere));
    const claims = await on.claim(1_000);
    await refuse();
    const settlements = ids.map((id) => {
      const claim = claims.find(({ job }) => job.id === id);
      return { id, name: 'Work', fence: claim?.fence as number, verb: 'complete', result: '1' } as const;
    });
    const batches = new Batcher((some: typeof settlements) => on.store.settle(some));
    const settled = await Promise.allSettled(settlements.map((one) => batches.push(one)));
    expect(settled.map(({ status }) => status === 'fulfilled')).toEqual(others);
    const renewed = await outcomesOf(on.store.renew([{ id: ids[0], fence: 1, leaseMs: 1 }]), 1);
    expect(renewed).toHaveLength(1);
  });

  it('creates the jobs of the other partitions once when a batch is repeated', async () => {
    const jobs = Array.from({ length: 40 }, () => aJob());
    let calls = 0;
    const submit = (some: NewJob[]) => {
      calls++;
      const spoilt = some.map((job) => (job === jobs[7] ? { ...job, delayMs: {} as unknown as number } : job));
      return on.store.submit(spoilt, LIMITS);
    };
    const batches = new Batcher<NewJob, Submission>(submit);
    const settled = await Promise.allSettled(jobs.map((job) => batches.push(job)));
    const created = settled.map((one) => one.status === 'fulfilled' && one.value.outcome === 'created');
    expect(created).toEqual(jobs.map((_, at) => at !== 7));
    expect(calls).toBeGreaterThan(1);
  });

  it('sweeps and purges the other partitions', async () => {
    const retention = { completedMs: 1, failedMs: 1, canceledMs: 1 };
    const [canceled, lapsed] = [await on.submit(20, { name: 'Other', retention }), await on.submit(20)];
    const others = await Promise.all([...canceled, ...lapsed].map(isThere));
    await on.claim(1_000);
    await on.store.cancel(canceled);
    on.now += 10_000;
    await refuse();
    expect(await on.store.recover(SWEEP)).toHaveLength(others.slice(20).filter(Boolean).length);
    await expect(on.store.recover(SWEEP)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await on.store.purge(100)).toHaveLength(others.slice(0, 20).filter(Boolean).length);
    await allow('~*');
    const found = await on.store.find([...canceled, ...lapsed]);
    expect(found.map((job) => job?.status ?? null)).toEqual([
      ...canceled.map((_, at) => (others[at] ? null : 'Canceled')),
      ...lapsed.map((_, at) => (others[canceled.length + at] ? 'Queued' : 'InProgress')),
    ]);
  });
});
