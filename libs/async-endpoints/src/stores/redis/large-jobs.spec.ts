import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Claim } from '../../job/job.js';
import { aJob } from '../../testing/index.js';
import type { RedisJobStore } from './redis-job-store.js';
import { redisStoreTest } from './redis-store.testing.js';

const MIB = 1024 * 1024;
const LIMITS = { queueLimit: 10_000 };
const SHORT = { completedMs: 100, failedMs: 100, canceledMs: 100 };
const LARGE = JSON.stringify('x'.repeat(MIB));
/** Four jobs of 1 MiB, and what one step may read beyond its bound. */
const MOST = 6 * MIB;

// A busy machine needs its time for so many bytes.
describe('RedisJobStore with large payloads and results', { timeout: 30_000 }, () => {
  const on = redisStoreTest({ audited: true });
  let client: Redis;
  let store: RedisJobStore;

  beforeEach(() => {
    ({ client, store } = on);
  });

  const submit = async (count: number, over: Parameters<typeof aJob>[0] = {}) => {
    const jobs = Array.from({ length: count }, () => aJob({ payload: LARGE, retention: SHORT, ...over }));
    await store.submit(jobs, LIMITS);
    return jobs.map(({ id }) => id);
  };
  const claim = (limit: number, names = ['Work']) =>
    store.claim({ worker: 'w', leaseMs: 1_000, limit, slots: new Map(names.map((name) => [name, limit])) });
  const claimAll = async () => {
    const claims: Claim[] = [];
    for (let some = await claim(1_000); some.length > 0; some = await claim(1_000)) claims.push(...some);
    return claims;
  };
  const sent = async () => Number(/total_net_output_bytes:(\d+)/.exec(await client.info('stats'))?.[1]);
  /** The largest share of Redis's answers that one call had. */
  const bytesOf = async <T>(call: () => Promise<T>): Promise<[answer: T, bytes: number]> => {
    const before = await sent();
    const answer = await call();
    return [answer, (await sent()) - before];
  };

  const scripts = async () => {
    const stats = await client.info('commandstats');
    return ['eval', 'evalsha'].reduce(
      (sum, name) => sum + Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0),
      0,
    );
  };

  it('sends a large call in parts, and an item larger than a part alone', async () => {
    const jobs = [1, 1, 1, 6, 1, 1].map((mib) => aJob({ payload: JSON.stringify('x'.repeat(mib * MIB)) }));
    await client.config('RESETSTAT');
    const submissions = await store.submit(jobs, LIMITS);
    expect(submissions.map((one) => one.outcome === 'created' && one.job.id)).toEqual(jobs.map(({ id }) => id));
    expect(await scripts()).toBeGreaterThanOrEqual(3);
    const claims: Claim[] = [];
    while (claims.length < jobs.length) claims.push(...(await claim(100)));
    expect(claims.map(({ payload }) => payload.length)).toEqual(jobs.map(({ payload }) => payload.length));
  });

  it('claims as many bytes as a step may move, at least one job, in order, and many small jobs at once', async () => {
    const ids = await submit(10);
    const small = await submit(500, { payload: '1' });
    const claims: Claim[] = [];
    while (claims.length < 10) {
      const [some, bytes] = await bytesOf(() => claim(1_000));
      expect(bytes).toBeLessThan(MOST);
      claims.push(...some);
    }
    claims.push(...(await claim(1_000)));
    expect(claims.map(({ job }) => job.id)).toEqual([...ids, ...small]);
  });

  it('claims many delayed and prioritised jobs with one scheduledAt in several steps, each once', async () => {
    const ids = [...(await submit(6, { delayMs: 100 })), ...(await submit(6, { priority: 5 }))];
    await submit(3, { name: 'Other', delayMs: 100 });
    on.now += 100;
    const claims: Claim[] = [];
    for (let calls = 0; claims.length < 12; calls++) {
      expect(calls).toBeLessThan(12);
      const [some, bytes] = await bytesOf(() => claim(1_000));
      expect(bytes).toBeLessThan(MOST);
      claims.push(...some);
    }
    expect(claims.map(({ job }) => job.id).toSorted()).toEqual(ids.toSorted());
    expect(await claim(5, ['Other'])).toHaveLength(3);
  });

  it('settles, finds, recovers, cancels and reruns batches of any size', async () => {
    const ids = await submit(11);
    const claims = await claimAll();
    const [results, abandoned] = [claims.slice(0, 6), claims.slice(6)];
    const settlements = results.map(({ job, fence }) => ({
      id: job.id,
      name: 'Work',
      fence,
      verb: 'complete' as const,
      result: LARGE,
    }));
    expect(await store.settle(settlements)).toEqual(settlements.map(() => true));
    const found = await store.find([...ids, randomUUID()]);
    expect(found.map((job) => job?.result?.length ?? job?.status ?? null)).toEqual([
      ...results.map(() => LARGE.length),
      ...abandoned.map(() => 'InProgress'),
      null,
    ]);
    on.now += 1_000;
    const recovered = await store.recover({ limit: 100, maxCrashes: 1 });
    expect(recovered.map(({ job }) => job.status)).toEqual(abandoned.map(() => 'Failed'));
    const failed = abandoned.map(({ job }) => job.id);
    expect((await store.rerun(failed)).map((job) => job?.status)).toEqual(failed.map(() => 'Queued'));
    expect((await store.cancel(failed)).map((job) => job?.status)).toEqual(failed.map(() => 'Canceled'));
    on.now += 1_000;
    expect(await store.purge(100)).toHaveLength(11);
  });

  it('returns the large results of the owner only, in a batch with those of another owner', async () => {
    const [anns, bobs] = [await submit(2, { owner: 'ann' }), await submit(2, { owner: 'bob' })];
    const ids = [...anns, ...bobs];
    for (const { job, fence } of await claimAll()) {
      await store.settle([{ id: job.id, name: 'Work', fence, verb: 'complete', result: LARGE }]);
    }
    const [foreign, bytes] = await bytesOf(() => store.find(ids, ['bob', null, 'ann', '']));
    expect(foreign).toEqual([null, null, null, null]);
    expect(bytes).toBeLessThan(10_000);
    const found = await store.find(ids, ['ann', 'bob', 'ann', 'bob']);
    expect(found.map((job) => job?.id ?? null)).toEqual([anns[0], null, null, bobs[1]]);
  });

  it('returns more large results of an owner than one step reads', async () => {
    const ids = await submit(8, { owner: 'ann' });
    for (const { job, fence } of await claimAll()) {
      await store.settle([{ id: job.id, name: 'Work', fence, verb: 'complete', result: LARGE }]);
    }
    const owners = ids.map((_, n) => (n % 2 ? 'ann' : 'bob'));
    const found = await store.find(ids, owners);
    expect(found.map((job) => job?.result?.length ?? null)).toEqual(ids.map((_, n) => (n % 2 ? LARGE.length : null)));
  });

  it('lists large jobs and results in short pages, each job once', async () => {
    const ids = [...(await submit(6)), ...(await submit(6, { priority: 5 })), ...(await submit(6, { delayMs: 100 }))];
    const small = await submit(300, { payload: '1' });
    for (const { job, fence } of await claim(5)) {
      await store.settle([{ id: job.id, name: 'Work', fence, verb: 'complete', result: LARGE }]);
    }
    const listed: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      await client.config('RESETSTAT');
      const [page, bytes] = await bytesOf(() => store.list({}, { limit: 1_000, cursor: cursor ?? undefined }));
      expect(bytes).toBeLessThan(MOST);
      listed.push(...page.jobs.map(({ id }) => id));
      cursor = page.cursor;
    }
    expect(listed.toSorted()).toEqual([...ids, ...small].toSorted());
  });

  it('returns repeats of large jobs in several steps, mixed with new jobs', async () => {
    const print = { fingerprint: 'f', owner: 'ann' };
    const known = await submit(12, print);
    const keyed = Array.from({ length: 6 }, (_, n) =>
      aJob({ payload: LARGE, ...print, idempotency: { key: `key ${n}`, retentionMs: 60_000 } }),
    );
    await store.submit(keyed, LIMITS);
    for (const { job, fence } of await claimAll()) {
      await store.settle([{ id: job.id, name: 'Work', fence, verb: 'complete', result: LARGE }]);
    }
    const again = known.flatMap((id) => [aJob({ id, ...print }), aJob(print)]);
    const again2 = keyed.map((job) => ({ ...job, id: randomUUID(), payload: '1' }));
    const sentBefore = await scripts();
    const submissions = await store.submit([...again, ...again2], LIMITS);
    expect(submissions.map(({ outcome }) => outcome)).toEqual([
      ...known.flatMap(() => ['existing', 'created']),
      ...keyed.map(() => 'existing'),
    ]);
    const jobs = submissions.map((one) => (one.outcome === 'existing' ? one.job : null));
    expect(jobs.filter((_, at) => at % 2 === 0).slice(0, 12)).toMatchObject(
      known.map((id) => ({ id, status: 'Completed', result: LARGE })),
    );
    expect(jobs.slice(24).map((job) => job?.id)).toEqual(keyed.map(({ id }) => id));
    expect((await scripts()) - sentBefore).toBeGreaterThanOrEqual(4);
  });

  it('reads no terminal job in a sweep without work, and purges as many as the limit', async () => {
    const ids = await submit(10);
    for (const { job, fence } of await claimAll()) {
      await store.settle([{ id: job.id, name: 'Work', fence, verb: 'complete', result: LARGE }]);
    }
    const reads = async () => {
      const stats = await client.info('commandstats');
      return ['hget', 'hmget'].map((name) => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0));
    };
    const sweep = async () => {
      await store.recover({ limit: 100, maxCrashes: 1 });
      return (await store.purge(100)).length;
    };
    expect(await sweep()).toBe(0);
    const before = await reads();
    await client.config('RESETSTAT');
    expect(await sweep()).toBe(0);
    const [hget = 0] = await reads();
    expect(hget).toBeLessThan(before[0] as number); // the head of the list is known by on.now
    on.now += 100;
    expect(await store.purge(7)).toHaveLength(7);
    expect(await sweep()).toBe(3);
    expect(await store.find(ids)).toEqual(ids.map(() => null));
  });
});
