import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type RedisCluster, startRedisCluster } from '@app/redis-server';
import { Cluster } from 'ioredis';
import { STORE_NOTICE, type StoreNotice } from '../../events/channels.js';
import type { Claim, JobRecord } from '../../job/job.js';
import { aJob, eventually } from '../../testing/index.js';
import { RedisJobStore } from './redis-job-store.js';

const NO_LIMIT = { queueLimit: 1_000_000 };

describe('RedisJobStore in partitions on a cluster', () => {
  let cluster: RedisCluster;
  let client: Cluster;
  let store: RedisJobStore;
  let prefix: string;

  beforeAll(async () => {
    cluster = await startRedisCluster();
    client = new Cluster([...cluster.nodes]);
  }, 60_000);

  afterAll(async () => {
    client.disconnect();
    await cluster.stop();
  });

  beforeEach(async () => {
    prefix = randomUUID();
    store = new RedisJobStore({ client, prefix, partitions: 5 });
    await store.open();
  });

  const closeAudited = async () => {
    const deviations = await store.audit();
    await store.close();
    assert.deepEqual(deviations, []);
  };
  afterEach(closeAudited);

  const submit = async (count: number, job: Parameters<typeof aJob>[0] = {}) => {
    const jobs = Array.from({ length: count }, () => aJob(job));
    await store.submit(jobs, NO_LIMIT);
    return jobs.map(({ id }) => id);
  };
  const claim = (limit: number, slots: Record<string, number>) =>
    store.claim({ worker: 'w', leaseMs: 60_000, limit, slots: new Map(Object.entries(slots)) });
  const complete = (claims: Claim[]) =>
    store.settle(
      claims.map(({ job, fence }) => ({ id: job.id, name: job.name, fence, verb: 'complete', result: '1' as const })),
    );

  it('with a secret, spreads ids that a client chose for one partition', async () => {
    const inFirst = (id: string) => client.hexists(`{${prefix}:0}:jobs`, id);
    const ids = Array.from({ length: 400 }, () => randomUUID());
    await store.submit(
      ids.map((id) => aJob({ id })),
      NO_LIMIT,
    );
    const isInFirst = await Promise.all(ids.map(inFirst));
    const aimed = ids.filter((_, at) => isInFirst[at] === 1);
    expect(aimed.length).toBeGreaterThan(20);
    await store.close();
    prefix = randomUUID();
    store = new RedisJobStore({ client, prefix, partitions: 5, partitionSecret: randomUUID() });
    await store.open();
    await store.submit(
      aimed.map((id) => aJob({ id })),
      NO_LIMIT,
    );
    const sizes = await Promise.all([0, 1, 2, 3, 4].map((partition) => client.hlen(`{${prefix}:${partition}}:jobs`)));
    expect(sizes.every((size) => size < aimed.length / 2)).toBe(true);
    expect((await store.find(aimed)).map((job) => job?.id)).toEqual(aimed);
  });

  it('without a secret, publishes a notice at the first submission', async () => {
    const heard: string[] = [];
    const hear = (notice: unknown) => void heard.push((notice as StoreNotice).message);
    STORE_NOTICE.subscribe(hear);
    for (const partitionSecret of [undefined, randomUUID()]) {
      const other = new RedisJobStore({ client, prefix: randomUUID(), partitions: 2, partitionSecret });
      await other.open();
      for (const job of [aJob(), aJob()]) await other.submit([job], NO_LIMIT);
      await other.close();
    }
    STORE_NOTICE.unsubscribe(hear);
    expect(heard.filter((message) => message.includes('partitionSecret'))).toHaveLength(1);
  });

  it('refuses a secret that is short, without showing it', () => {
    expect(() => new RedisJobStore({ client, partitions: 5, partitionSecret: 'short' })).toThrow(
      'partitionSecret has 5 characters; expected at least 16.',
    );
  });

  it('spreads jobs, and runs each exactly once', async () => {
    const ids = await submit(200);
    const sizes = await Promise.all([0, 1, 2, 3, 4].map((partition) => client.hlen(`{${prefix}:${partition}}:jobs`)));
    expect(sizes.every((size) => size > 10)).toBe(true);
    const claims: Claim[] = [];
    while (claims.length < ids.length) claims.push(...(await claim(32, { Work: 32 })));
    expect(claims.map(({ job }) => job.id).toSorted()).toEqual(ids.toSorted());
    expect(await complete(claims)).toEqual(ids.map(() => true));
    expect((await store.find(ids)).every((job) => job?.status === 'Completed')).toBe(true);
  });

  it('keeps the limits of a claim, and finds the last job in any partition', async () => {
    await submit(30);
    await submit(30, { name: 'Other' });
    const claims = await claim(9, { Work: 2, Other: 20 });
    expect(claims).toHaveLength(9);
    expect(claims.filter(({ job }) => job.name === 'Work').length).toBeLessThanOrEqual(2);
    const rest: Claim[] = [];
    for (let more = true; more;) {
      const some = await claim(1, { Work: 100, Other: 100 });
      rest.push(...some);
      more = some.length > 0;
    }
    expect(claims.length + rest.length).toBe(60);
  });

  it('rotates the partitions for claims and sweeps of one job', async () => {
    const ids = await submit(200);
    const partitions = [0, 1, 2, 3, 4].map((partition) => `{${prefix}:${partition}}:jobs`);
    const fromEach = async (some: string[]) =>
      Promise.all(
        partitions.map(async (jobs) => {
          const there = await Promise.all(some.map((id) => client.hexists(jobs, id)));
          return there.reduce((sum, one) => sum + one, 0);
        }),
      );
    const claimed: string[] = [];
    for (let n = 0; n < 15; n++) claimed.push(...(await claim(1, { Work: 1 })).map(({ job }) => job.id));
    expect(await fromEach(claimed)).toEqual([3, 3, 3, 3, 3]);
    await store.claim({ worker: 'w', leaseMs: 1, limit: 200, slots: new Map([['Work', 200]]) });
    const recovered: string[] = [];
    await eventually(async () => (await store.list({ status: 'InProgress', runningForMs: 2 }, { limit: 200 })).jobs[0]);
    for (let n = 0; n < 15; n++) {
      const some = await store.recover({ limit: 1, maxCrashes: 9 });
      recovered.push(...some.map(({ job }) => job.id));
    }
    expect(await fromEach(recovered)).toEqual([3, 3, 3, 3, 3]);
    expect(ids).toEqual(expect.arrayContaining([...claimed, ...recovered]));
  });

  it('creates one job from a hundred submissions with one key and different ids', async () => {
    const idempotency = { key: 'k', retentionMs: 60_000 };
    const jobs = Array.from({ length: 100 }, () => aJob({ fingerprint: 'f', idempotency }));
    const submissions = (await Promise.all(jobs.map((job) => store.submit([job], NO_LIMIT)))).flat();
    const ids = new Set(submissions.map((submission) => (submission as { job: JobRecord }).job.id));
    expect(ids.size).toBe(1);
    expect(submissions.filter(({ outcome }) => outcome === 'created')).toHaveLength(1);
    const other = await store.submit([aJob({ fingerprint: 'g', idempotency })], NO_LIMIT);
    expect(other).toEqual([{ outcome: 'conflict', on: 'key' }]);
  });

  it('refuses jobs above the share of the queue limits of a partition', async () => {
    const jobs = Array.from({ length: 100 }, () => aJob());
    const outcomes = (await store.submit(jobs, { queueLimit: 20 })).map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(20);
    expect(outcomes.filter((outcome) => outcome === 'refused')).toHaveLength(80);
    const own = Array.from({ length: 100 }, () => aJob({ name: 'Other', queueLimit: 10 }));
    const all = (await Promise.all(own.map((job) => store.submit([job], NO_LIMIT)))).flat();
    expect(all.filter(({ outcome }) => outcome === 'created')).toHaveLength(10);
    expect(all.filter((one) => one.outcome === 'refused' && one.limit === 'name')).toHaveLength(90);
  });

  it('refuses jobs above the share of the limits of bytes, of all names and of one', async () => {
    const payload = JSON.stringify({ request: 'x'.repeat(1_000) });
    const waitingOf = async (name: string) => (await store.stats()).find((entry) => entry.name === name)?.bytes ?? 0;
    const oneEach = 5 * 1_300;
    await store.submit(
      Array.from({ length: 100 }, () => aJob({ name: 'Own', payload, queueBytes: 10_000 })),
      NO_LIMIT,
    );
    const own = await waitingOf('Own');
    expect(own).toBeGreaterThanOrEqual(10_000);
    expect(own).toBeLessThan(10_000 + oneEach);
    await store.submit(
      Array.from({ length: 200 }, () => aJob({ payload })),
      { ...NO_LIMIT, queueBytes: 50_000 },
    );
    const all = own + (await waitingOf('Work'));
    expect(all).toBeGreaterThanOrEqual(50_000);
    expect(all).toBeLessThan(50_000 + oneEach);
    expect(await store.audit()).toEqual([]);
  });

  it('lists every job once, and counts, cancels, reruns, recovers and purges in all partitions', async () => {
    const short = { completedMs: 1, failedMs: 1, canceledMs: 1 };
    const ids = await submit(40, { retention: short });
    expect(await store.stats()).toMatchObject([{ name: 'Work', status: 'Queued', count: 40 }]);
    await store.cancel(ids.slice(0, 20));
    await store.rerun(ids.slice(0, 10));
    const listed: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = await store.list({}, { limit: 7, cursor });
      listed.push(...page.jobs.map(({ id }) => id));
      ({ cursor } = page);
    }
    expect(listed.toSorted()).toEqual(ids.toSorted());
    await store.claim({ worker: 'w', leaseMs: 1, limit: 30, slots: new Map([['Work', 30]]) });
    let recovered = 0;
    await vi.waitFor(async () => {
      recovered += (await store.recover({ limit: 7, maxCrashes: 9 })).length;
      expect(recovered).toBe(30);
    });
    let purged = 0;
    await vi.waitFor(async () => {
      purged += (await store.purge(3)).length;
      expect(purged).toBe(10);
    });
  });

  it('wakes a worker for a job in any partition', async () => {
    for (let n = 0; n < 10; n++) {
      const giveUp = new AbortController();
      const woken = store.waitForWork(['Work'], giveUp.signal);
      await submit(1);
      await woken;
      expect(giveUp.signal.aborted).toBe(false);
      await complete(await claim(10, { Work: 10 }));
    }
  });

  it.each([0, 1.5, 257])('refuses %s partitions', (partitions) => {
    expect(() => new RedisJobStore({ client, partitions })).toThrow(
      `partitions is ${partitions}; expected an integer from 1 to 256.`,
    );
  });
});
