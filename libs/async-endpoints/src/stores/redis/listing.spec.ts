import type { Redis } from 'ioredis';
import type { JobRecord, JobStatus } from '../../job/job.js';
import type { JobFilter } from '../../store/job-store.js';
import { aJob } from '../../testing/index.js';
import type { RedisKeys } from './keys.js';
import { RedisJobStore } from './redis-job-store.js';
import { redisStoreTest } from './redis-store.testing.js';

const ERROR = { code: 'DOWN', message: 'no' };

describe('The list of a RedisJobStore', () => {
  const on = redisStoreTest({ audited: true });
  let client: Redis;
  let store: RedisJobStore;
  let keys: RedisKeys;

  beforeEach(() => {
    ({ client, store } = on);
    keys = on.keys();
  });

  const listAll = async (filter: JobFilter = {}, limit = 3, from = store): Promise<JobRecord[]> => {
    const jobs: JobRecord[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = await from.list(filter, { limit, cursor });
      expect(page.jobs.length).toBeLessThanOrEqual(limit);
      jobs.push(...page.jobs);
      ({ cursor } = page);
    }
    return jobs;
  };
  const idsOf = (jobs: readonly JobRecord[]) => jobs.map(({ id }) => id);
  const settleAll = async (count: number, verb: 'complete' | 'fail' | 'retry') => {
    for (const { job, fence } of await on.claim(count)) {
      const held = { id: job.id, name: job.name, fence };
      if (verb === 'complete') await store.settle([{ ...held, verb, result: '1' }]);
      else if (verb === 'fail') await store.settle([{ ...held, verb, error: ERROR }]);
      else await store.settle([{ ...held, verb, error: ERROR, delayMs: 60_000 }]);
    }
  };
  /** Three jobs of each status, of one millisecond each. */
  const inEachStatus = async (over: Parameters<typeof aJob>[0] = {}) => {
    for (const verb of ['complete', 'fail', 'retry'] as const) {
      await on.submit(3, over);
      on.now++;
      await settleAll(3, verb);
    }
    await store.cancel(await on.submit(3, over));
    await on.submit(3, { ...over, priority: 5 });
    await on.submit(3, { ...over, delayMs: 60_000 });
    await on.submit(3, over);
    await on.claim(3, { leaseMs: 60_000 });
    await on.submit(3, over);
    on.now++;
  };
  /** The number of commands that read a record. */
  const readsOf = async (action: () => Promise<unknown>) => {
    await client.config('RESETSTAT');
    await action();
    return Number(/^cmdstat_hget:calls=(\d+)/m.exec(await client.info('commandstats'))?.[1] ?? 0);
  };

  it('lists jobs of one millisecond once, with every limit', async () => {
    await inEachStatus();
    const all = idsOf(await listAll({}, 100));
    expect(new Set(all).size).toBe(24);
    for (const limit of [1, 2, 5, 23, 24]) expect(idsOf(await listAll({}, limit))).toEqual(all);
  });

  it.each([2, 3])('merges %i partitions and more names than one step reads', async (partitions) => {
    const many = new RedisJobStore({ url: on.server.url, prefix: `parts-${on.prefix}`, partitions, now: () => on.now });
    await many.open();
    const expected: string[] = [];
    for (let n = 0; n < 120; n += 4, on.now++) {
      const jobs = [0, 1, 2, 3].map((more) => aJob({ name: `Name${n + more}`, priority: more % 2 }));
      await many.submit(jobs, { queueLimit: 1_000 });
      expected.push(...jobs.map(({ id }) => id));
    }
    const listed = await listAll({}, 7, many);
    const page = await many.list({}, { limit: 7 });
    await expect(store.list({}, { limit: 7, cursor: page.cursor ?? '' })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    });
    await many.close();
    expect(idsOf(listed).toSorted()).toEqual(expected.toSorted());
    const times = listed.map(({ createdAt }) => createdAt);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
  });

  it.each(['Queued', 'Scheduled', 'InProgress', 'Completed', 'Failed', 'Canceled'] as JobStatus[])(
    'reads only the records of a page: %s',
    async (status) => {
      for (let n = 0; n < 10; n++) await inEachStatus({ owner: n % 5 === 0 ? 'ann' : 'bob' });
      const owner = 'ann';
      const filters: JobFilter[] = [
        {},
        { status },
        { name: 'Work' },
        { owner },
        { owner, status },
        { errorCode: 'DOWN', status },
      ];
      for (const filter of filters) {
        let cursor: string | undefined;
        for (let pages = 0; pages < 3; pages++) {
          // A step reads a record and its claim. It looks at the first job of each source, and at one more than it returns.
          const reads = await readsOf(async () => {
            cursor = (await store.list(filter, { limit: 5, cursor })).cursor ?? undefined;
          });
          expect(reads).toBeLessThanOrEqual(2 * (5 + 1 + 9));
          if (cursor === undefined) break;
        }
      }
    },
    30_000,
  );

  it('does not list jobs on a later page that came after the first one', async () => {
    const ids = await on.submit(4);
    await settleAll(2, 'complete');
    const first = await store.list({}, { limit: 1 });
    on.now++;
    await on.submit(2);
    await on.submit(2, { priority: 1 });
    await settleAll(1, 'complete');
    const second = await store.list({}, { limit: 9, cursor: first.cursor as string });
    expect(idsOf([...first.jobs, ...second.jobs]).toSorted()).toEqual(ids.toSorted());
  });

  it('continues when the numbers of submission and completion begin again', async () => {
    await client.hset(keys.counters, 'seq', 2 ** 32 - 5, 'completed', 2 ** 32 - 3);
    const ids = [...(await on.submit(5)), ...(await on.submit(5))];
    await settleAll(4, 'complete');
    const queued = idsOf(await listAll({ status: 'Queued' }));
    const completed = idsOf(await listAll({ status: 'Completed' }));
    expect([...queued, ...completed]).toEqual([...ids.slice(4).toReversed(), ...ids.slice(0, 4).toReversed()]);
  });

  it('passes over entries of a line whose jobs no longer wait', async () => {
    const [first] = await on.submit(1);
    await store.cancel(await on.submit(300, { retention: { completedMs: 1, failedMs: 1, canceledMs: 1 } }));
    await store.cancel(await on.submit(300));
    const [last] = await on.submit(1);
    on.now += 10;
    await store.purge(1_000);
    expect(idsOf(await listAll({ status: 'Queued' }, 1))).toEqual([last, first]);
    expect(await listAll({ status: 'Canceled' }, 100)).toHaveLength(300);
  });

  it('ends a page after many bytes of such entries, and continues behind them', async () => {
    const [first] = await on.submit(1);
    await store.cancel(await on.submit(6, { payload: JSON.stringify('x'.repeat(1_000_000)) }));
    const [last] = await on.submit(1);
    const page = await store.list({ status: 'Queued' }, { limit: 10 });
    expect(idsOf(page.jobs)).toEqual([last]);
    const next = await store.list({ status: 'Queued' }, { limit: 10, cursor: page.cursor as string });
    expect([idsOf(next.jobs), next.cursor]).toEqual([[first], null]);
  });

  it('lists the jobs of an owner with an error among others of the owner, in short pages', async () => {
    const [wanted] = await on.submit(1, { owner: 'ann' });
    await settleAll(1, 'fail');
    on.now++;
    for (let n = 0; n < 3; n++) await on.submit(1_000, { owner: 'ann' });
    const page = await store.list({ owner: 'ann', errorCode: 'DOWN' }, { limit: 10 });
    expect(page).toMatchObject({ jobs: [], cursor: expect.any(String) as string });
    expect(idsOf(await listAll({ owner: 'ann', errorCode: 'DOWN' }))).toEqual([wanted]);
    expect(idsOf((await store.list({ owner: 'ann', status: 'Failed' }, { limit: 1 })).jobs)).toEqual([wanted]);
  });

  it.each(['"', 'a\n"b', '","message":', '\\', 'é', ''])('finds the error code and the owner %j', async (text) => {
    const [id] = await on.submit(1, { owner: text });
    const [{ fence } = {} as never] = await on.claim(1);
    await store.settle([{ id, name: 'Work', fence, verb: 'fail', error: { message: text, code: text } }]);
    expect(idsOf(await listAll({ owner: text }))).toEqual([id]);
    expect(idsOf(await listAll({ errorCode: text }))).toEqual([id]);
  });

  it('lists completed jobs that are purged before earlier ones', async () => {
    const [long] = await on.submit(1, { retention: { completedMs: 9_000, failedMs: 1, canceledMs: 1 } });
    await settleAll(1, 'complete');
    on.now++;
    const [short] = await on.submit(1, { retention: { completedMs: 10, failedMs: 1, canceledMs: 1 }, owner: 'ann' });
    await settleAll(1, 'complete');
    expect(idsOf(await listAll({ name: 'Work', status: 'Completed' }))).toEqual([short, long]);
    on.now += 10;
    expect(await store.purge(10)).toEqual([short]);
    expect(idsOf(await listAll())).toEqual([long]);
  });

  it.each([
    '{',
    '[]',
    '["before",1]',
    '["before",1,[0,"r"]]',
    '["before",-1,[0,"",1,1]]',
    '["before",1,[0,"\\u0000",1,1]]',
  ])('refuses a cursor that it did not create: %s', async (cursor) => {
    await expect(store.list({}, { limit: 1, cursor })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });

  describe('of jobs that an earlier release stored', () => {
    /** What the earlier release would have stored: no key `listed`, and one list of completed jobs for all names. */
    const makeEarlier = async () => {
      await client.del(keys.listed, keys.purges);
      await client.rename(keys.completed('Work'), keys.earlierCompleted);
    };
    const sweep = () => store.recover({ limit: 100, maxCrashes: 3 });

    it('has their completed jobs at once, by name', async () => {
      await inEachStatus();
      const before = idsOf(await listAll({ status: 'Completed' }));
      await makeEarlier();
      on.now++;
      await on.submit(2, { priority: 9 });
      await settleAll(2, 'complete');
      await client.sadd(keys.names, 'Other');
      expect(idsOf(await listAll({ name: 'Work', status: 'Completed' }, 2)).slice(2)).toEqual(before);
      expect(await listAll({ name: 'Other' })).toEqual([]);
      await sweep();
    });

    it.each([
      ['sweeps', () => sweep()],
      ['a repair', () => store.audit({ repair: true })],
    ])('has all of them after %s, by every filter', async (_, correct) => {
      for (let n = 0; n < 30; n++) await inEachStatus({ owner: n % 2 ? 'ann' : null });
      const filters: JobFilter[] = [{}, { owner: 'ann' }, { errorCode: 'DOWN' }, { status: 'Failed' }];
      const before = await Promise.all(filters.map((filter) => listAll(filter, 1_000)));
      await makeEarlier();
      await client.zadd(keys.listed, 0, `o"ann"\nWork\nQ\n${'0'.repeat(23)}00000000-0000-4000-8000-00000000dead`);
      expect(await store.audit()).not.toEqual([]);
      await correct();
      expect(await Promise.all(filters.map((filter) => listAll(filter, 1_000)))).toEqual(before);
    });

    it('purges them', async () => {
      await on.submit(3);
      await settleAll(3, 'complete');
      await makeEarlier();
      await on.submit(3);
      await settleAll(3, 'complete');
      on.now += 7 * 24 * 3_600_000;
      expect(await store.purge(100)).toHaveLength(6);
      expect(await client.exists(keys.earlierCompleted, keys.completed('Work'), keys.purges)).toBe(0);
    });

    it('purges completed jobs of a name that is missing in purges, after a sweep', async () => {
      await on.submit(3);
      await settleAll(3, 'complete');
      await client.del(keys.purges);
      on.now += 7 * 24 * 3_600_000;
      expect(await store.purge(100)).toEqual([]);
      await sweep();
      expect(await store.purge(100)).toHaveLength(3);
    });
  });
});
