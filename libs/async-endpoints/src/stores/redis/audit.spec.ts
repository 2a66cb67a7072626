import type { Redis } from 'ioredis';
import { aJob } from '../../testing/index.js';
import type { RedisKeys } from './keys.js';
import type { RedisJobStore } from './redis-job-store.js';
import { redisStoreTest } from './redis-store.testing.js';

const ERROR = { code: 'E', message: 'm' };
const GHOST = '00000000-0000-4000-8000-00000000dead';

/** A job of every kind of place, by its id. */
interface Jobs {
  readonly inLine: string;
  readonly ready: string;
  readonly scheduled: string;
  readonly running: string;
  readonly completed: string;
  readonly failed: string;
}

describe('RedisJobStore.audit', () => {
  const on = redisStoreTest();
  let client: Redis;
  let store: RedisJobStore;
  let keys: RedisKeys;
  let jobs: Jobs;

  beforeEach(async () => {
    ({ client, store } = on);
    keys = on.keys();
    const submit = async (over: Parameters<typeof aJob>[0]) => {
      const job = aJob(over);
      await store.submit([job], { queueLimit: 100 });
      return job.id;
    };
    const claim = async () => {
      const id = await submit({});
      const slots = new Map([['Work', 1]]);
      const [{ fence } = {} as never] = await store.claim({ worker: 'w', leaseMs: 5_000, limit: 1, slots });
      return { id, name: 'Work', fence };
    };
    const completed = await claim();
    await store.settle([{ ...completed, verb: 'complete', result: '1' }]);
    const failed = await claim();
    await store.settle([{ ...failed, verb: 'fail', error: ERROR }]);
    const running = await claim();
    jobs = {
      completed: completed.id,
      failed: failed.id,
      running: running.id,
      inLine: await submit({}),
      ready: await submit({ priority: 5 }),
      scheduled: await submit({ delayMs: 60_000, idempotency: { key: 'k', retentionMs: 1_000 } }),
    };
  });

  const member = async (key: string, id: string) =>
    (await client.zrange(key, '0', '-1')).find((one) => one.endsWith(id)) as string;

  it('finds no deviation in correct data, beside keys of other applications', async () => {
    await client.set(`${keys.jobs.slice(0, -'0}:jobs'.length)}x:0}:jobs`, 'of an application with a longer prefix');
    expect(await store.audit()).toEqual([]);
  });

  const gone: Record<string, [kind: keyof Jobs, named: () => string[], counters: string[]]> = {
    'in a line': ['inLine', () => [], ['waiting', 'Q:Work', 'waitingBytes', 'bytes:Q:Work']],
    ready: ['ready', () => [keys.ready('Work'), keys.listed], ['waiting', 'Q:Work', 'waitingBytes', 'bytes:Q:Work']],
    scheduled: [
      'scheduled',
      () => [keys.scheduled('Work'), keys.listed],
      ['waiting', 'S:Work', 'waitingBytes', 'bytes:S:Work'],
    ],
    'in progress': ['running', () => [keys.running('Work')], ['P:Work']],
    completed: ['completed', () => [keys.completed('Work')], ['C:Work']],
    failed: ['failed', () => [keys.finished, keys.listed], ['F:Work']],
  };
  it.each(Object.entries(gone))(
    'reports every entry of a job that does not exist: %s',
    async (_, [kind, named, counters]) => {
      const id = jobs[kind];
      await client.hdel(keys.jobs, id);
      const expected = [
        ...named().map((key) => `${key} contains job ${id}, which does not exist`),
        ...(kind === 'running' ? [`${keys.claims} contains job ${id}, which does not exist`] : []),
        ...counters.map((counter) => expect.stringContaining(`The counter "${counter}" is `) as string),
      ];
      const found = await store.audit();
      expect(found).toEqual(expect.arrayContaining(expected));
      expect(found).toHaveLength(expected.length);
    },
  );

  const lost: Record<string, [kind: keyof Jobs, status: string, forget: (id: string) => Promise<unknown>]> = {
    line: ['inLine', 'Queued', () => client.del(keys.line('Work'))],
    ready: ['ready', 'Queued', () => client.del(keys.ready('Work'))],
    scheduled: ['scheduled', 'Scheduled', () => client.del(keys.scheduled('Work'))],
    running: ['running', 'InProgress', (id) => client.zrem(keys.running('Work'), id)],
    completed: ['completed', 'Completed', () => client.del(keys.completed('Work'))],
    finished: ['failed', 'Failed', (id) => client.zrem(keys.finished, id)],
  };
  it.each(Object.entries(lost))('reports a job that is missing in %s', async (_, [kind, status, forget]) => {
    await forget(jobs[kind]);
    expect(await store.audit()).toEqual([`Job ${jobs[kind]} is ${status}, but in no index`]);
  });

  it('reports a job that is in two indexes, twice in one, or under the number of another', async () => {
    await client.zadd(keys.finished, 0, jobs.inLine);
    await client.zadd(keys.ready('Work'), 0, `00000099${jobs.ready}`);
    await client.zrem(keys.scheduled('Work'), await member(keys.scheduled('Work'), jobs.scheduled));
    await client.zadd(keys.scheduled('Work'), 0, `00000099${jobs.scheduled}`);
    const [ready, scheduled] = [keys.ready('Work'), keys.scheduled('Work')];
    expect((await store.audit()).toSorted()).toEqual(
      [
        `Job ${jobs.inLine} is Queued, but in ${keys.line('Work')} and ${keys.finished}`,
        `Job ${jobs.ready} is Queued, but in ${ready} and ${ready}`,
        `Job ${jobs.scheduled} is Scheduled, but in ${scheduled}`,
      ].toSorted(),
    );
  });

  it('reports wrong entries of lists, and with repair corrects them', async () => {
    const entries = await client.zrange(keys.listed, '0', '-1');
    expect(entries).toHaveLength(4); // ready, scheduled, failed, and the error code
    await client.zrem(keys.listed, entries.find((entry) => entry.startsWith('e')) as string);
    await client.zadd(
      keys.listed,
      0,
      `n\nWork\nX\n${'0'.repeat(23)}${jobs.inLine}`,
      0,
      `o"ann"\nWork\nQ\n${'0'.repeat(23)}${GHOST}`,
    );
    expect((await store.audit()).toSorted()).toEqual(
      [
        `Job ${jobs.failed} is Failed, but its entries in ${keys.listed} are wrong`,
        `Job ${jobs.inLine} is Queued, but its entries in ${keys.listed} are wrong`,
        `${keys.listed} contains job ${GHOST}, which does not exist`,
      ].toSorted(),
    );
    await store.audit({ repair: true });
    expect(await client.zrange(keys.listed, '0', '-1')).toEqual(entries);
    expect(await store.audit()).toEqual([]);
  });

  it('reports a claim without an entry in leases, which would never be recovered', async () => {
    await client.del(keys.leases);
    expect(await store.audit()).toEqual([
      `Job ${jobs.running} is in progress, but ${keys.leases} does not name it at the end of its lease`,
    ]);
  });

  it('reports records that cannot be read, and continues', async () => {
    await client.hset(keys.jobs, GHOST, 'no record', jobs.inLine, '2Q of a format to come');
    const found = await store.audit();
    expect(found).toEqual(
      expect.arrayContaining([`Job ${GHOST} cannot be read`, `Job ${jobs.inLine} cannot be read`]) as string[],
    );
    expect(found.filter((deviation) => !/cannot be read|counter/.test(deviation))).toEqual([]);
  });

  it.each(['waiting', 'P:Work', 'C:Ghost', 'waitingBytes', 'bytes:Q:Work'])(
    'reports a wrong counter: %s',
    async (counter) => {
      await client.hincrby(keys.counters, counter, 3);
      expect(await store.audit()).toEqual([expect.stringContaining(`The counter "${counter}" is `)]);
    },
  );

  it('with repair, puts jobs into the index of their status and drops unreadable records', async () => {
    await client.hset(keys.jobs, GHOST, 'no record');
    await client.hset(keys.claims, jobs.failed, '1,1,1,1,1,"w"', GHOST, 'no claim');
    await client.del(keys.line('Work'), keys.ready('Work'), keys.completed('Work'), keys.leases);
    await client.zrem(keys.finished, jobs.failed);
    await client.zadd(keys.finished, 0, jobs.scheduled, 0, '00000000-0000-4000-8000-00000000beef');
    await client.hincrby(keys.counters, 'waiting', 7);
    await client.hincrby(keys.counters, 'waitingBytes', -700);
    await client.hincrby(keys.counters, 'bytes:Q:Work', 5_000);
    await client.hincrby(keys.counters, 'C:Work', -3);
    const before = await store.find(Object.values(jobs).filter((id) => id !== jobs.failed));
    expect(await store.audit({ repair: true })).not.toEqual([]);
    expect(await store.audit()).toEqual([]);
    expect(await client.hexists(keys.jobs, GHOST)).toBe(0);
    expect(await store.find(before.map((job) => job?.id as string))).toEqual(before);
    const claims = await store.claim({ worker: 'w', leaseMs: 1_000, limit: 9, slots: new Map([['Work', 9]]) });
    expect(claims.map(({ job }) => job.id)).toEqual([jobs.ready, jobs.inLine]);
  });

  it('with repair, queues a job again whose claim cannot be read', async () => {
    await client.hset(keys.claims, jobs.running, 'no claim');
    await store.audit({ repair: true });
    expect(await store.audit()).toEqual([]);
    expect((await store.find([jobs.running]))[0]).toMatchObject({ status: 'Queued', fence: 0 });
  });

  it('reports every key that nothing uses, and every key without its expiry', async () => {
    const tag = keys.jobs.slice(0, -'jobs'.length);
    const orphans = ['line:Ghost', 'ready:Ghost', 'running:Ghost', 'whatever'].map((rest) => tag + rest);
    orphans.push(tag.replace('0}', '7}') + 'jobs');
    const lasting = [keys.recall('process'), keys.idempotency('digest'), keys.wake('Ghost')];
    for (const key of [...orphans, ...lasting]) await client.set(key, '');
    expect((await store.audit()).toSorted()).toEqual(
      [
        ...orphans.map((key) => `${key} belongs to no known name or partition`),
        ...lasting.map((key) => `${key} does not expire`),
      ].toSorted(),
    );
    await client.del(...orphans, ...lasting);
    await client.srem(keys.names, 'Work');
    expect(await store.audit()).toEqual(
      expect.arrayContaining([`${keys.line('Work')} belongs to no known name or partition`]) as string[],
    );
  });
});
