import { type RedisServer, startRedisServer } from '@app/redis-server';
import type { JobRecord } from '../job/job.js';
import { RedisJobStore } from '../stores/redis/redis-job-store.js';
import { aJob } from '../testing/index.js';
import { newestJobs } from './newest-jobs.js';

describe('The newest jobs', () => {
  let redis: RedisServer;
  let store: RedisJobStore;
  let now = 1_000_000;
  const ids: string[] = [];
  const idsOf = ({ jobs }: { jobs: readonly JobRecord[] }) => jobs.map(({ id }) => id);

  beforeAll(async () => {
    redis = await startRedisServer();
    store = new RedisJobStore({ url: redis.url, now: () => now });
    await store.open();
    for (let n = 0; n < 12; n++, now++) {
      const job = aJob({ name: n % 2 ? 'Mail' : 'Report' });
      await store.submit([job], { queueLimit: 100 });
      ids.push(job.id);
    }
    const claims = await store.claim({ worker: 'w', leaseMs: 60_000, limit: 3, slots: new Map([['Report', 3]]) });
    const error = { code: 'DOWN', message: 'no' };
    await store.settle(
      claims.map(({ job: { id, name }, fence }, n) =>
        n === 0 ? { verb: 'complete', id, name, fence, result: '1' } : { verb: 'fail', id, name, fence, error },
      ),
    );
    await store.cancel([ids[1] as string]);
  });

  afterAll(async () => {
    await store.close();
    await redis.stop();
  });

  it('are those of all statuses together, by the time of their submission', async () => {
    const all = await newestJobs(store, {}, { limit: Infinity, scan: Infinity });
    expect(all).toMatchObject({ found: 12, partly: [] });
    expect(idsOf(all)).toEqual(ids.toReversed());
    const five = await newestJobs(store, {}, { limit: 5, scan: 100 });
    expect([five.found, idsOf(five)]).toEqual([12, ids.slice(-5).toReversed()]);
  });

  it('are the latest entries of an index when the scan is limited; the incomplete statuses are reported', async () => {
    const some = await newestJobs(store, { name: 'Mail' }, { limit: 10, scan: 2 });
    expect(some.partly).toContain('Queued');
    const mail = await newestJobs(store, { name: 'Mail', status: 'Queued' }, { limit: 10, scan: 2 });
    expect([mail.partly, idsOf(mail)]).toEqual([['Queued'], [ids[11], ids[9]]]);
  });

  it('can be filtered by error code', async () => {
    const down = await newestJobs(store, { errorCode: 'DOWN' }, { limit: 10, scan: 100 });
    expect(idsOf(down)).toEqual([ids[4], ids[2]]);
  });

  it('are read in pages of bounded size, even with large results', async () => {
    const jobs = Array.from({ length: 8 }, () => aJob({ name: 'Large' }));
    await store.submit(jobs, { queueLimit: 100 });
    const claims = await store.claim({ worker: 'w', leaseMs: 60_000, limit: 8, slots: new Map([['Large', 8]]) });
    const result = JSON.stringify('x'.repeat(1_000_000));
    for (const { job, fence } of claims)
      await store.settle([{ verb: 'complete', id: job.id, name: job.name, fence, result }]);
    const page = await store.list({ status: 'Completed' }, { limit: 1_000 });
    expect(page.jobs.length).toBeLessThan(8);
    expect(page.cursor).not.toBeNull();
    const all = await newestJobs(store, { name: 'Large' }, { limit: 10, scan: 10_000 });
    expect(idsOf(all).toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
  });
});
