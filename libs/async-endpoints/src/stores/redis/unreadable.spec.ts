import type { Redis } from 'ioredis';
import { subscribe } from '../../events/channels.js';
import type { JobRecord } from '../../job/job.js';
import { aJob } from '../../testing/index.js';
import type { RedisKeys } from './keys.js';
import type { RedisJobStore } from './redis-job-store.js';
import { redisStoreTest } from './redis-store.testing.js';

const LIMITS = { queueLimit: 100_000 };
const ERROR = { code: 'E', message: 'm' };

/** What may have become of a record: each from a text that was good. */
const SPOILT: Record<string, (text: string) => string> = {
  empty: () => '',
  'no record': () => 'no record',
  'of a format to come': (text) => `2${text.slice(1)}`,
  'of a status to come': (text) => `1Z${text.slice(2)}`,
  'cut off in its numbers': (text) => text.slice(0, 25),
  'cut off after its first line': (text) => text.slice(0, text.indexOf('\n') + 1),
  'cut off in its fixed lines': (text) => text.slice(0, text.indexOf('\n') + 3),
  'without its last lines': (text) => text.split('\n').slice(0, 7).join('\n'),
  'wrong about the length of its lines': (text) => `${text.slice(0, 11)}ffffff${text.slice(17)}`,
  'without numbers': (text) => text.slice(0, 17) + text.slice(text.indexOf(';')),
  'of endless numbers': (text) => `${text.slice(0, 17)}${'9'.repeat(400)}${text.slice(17)}`,
  'with an owner that is no JSON': (text) => text.replace('"ann"', '"an\\"'),
};

describe('RedisJobStore, when a record cannot be read', () => {
  const on = redisStoreTest();
  let client: Redis;
  let store: RedisJobStore;
  let keys: RedisKeys;

  beforeEach(() => {
    ({ client, store } = on);
    keys = on.keys();
  });

  const submit = async (over: Parameters<typeof aJob>[0] = {}) => {
    const job = aJob({ owner: 'ann', fingerprint: 'f', ...over });
    await store.submit([job], LIMITS);
    return job.id;
  };
  const claim = (limit: number) =>
    store.claim({ worker: 'w', leaseMs: 1_000, limit, slots: new Map([['Work', limit]]) });
  const spoil = async (id: string, how: (text: string) => string) =>
    client.hset(keys.jobs, id, how((await client.hget(keys.jobs, id)) as string));
  const idsOf = async (found: Promise<(JobRecord | null)[]>) => (await found).flatMap((job) => job?.id ?? []);
  const listed = async () => {
    const { jobs } = await store.list({}, { limit: 100 });
    return jobs.map(({ id }) => id).toSorted();
  };

  const submitTwo = async (over: Parameters<typeof aJob>[0] = {}) => [await submit(over), await submit(over)] as const;
  const claimTwo = async () => {
    const pair = await submitTwo();
    const claims = await claim(2);
    expect(claims.map(({ job }) => job.id)).toEqual(pair);
    return claims.map(({ job, fence }) => ({ id: job.id, name: 'Work', fence }));
  };

  /** Two jobs in each place, the first of which is spoilt. */
  const inEachPlace = async () => {
    const ended = [];
    for (const outcome of [
      { verb: 'complete', result: '1' },
      { verb: 'fail', error: ERROR },
      { verb: 'retry', delayMs: 10, error: ERROR },
    ] as const) {
      const held = await claimTwo();
      await store.settle(held.map((one) => ({ ...one, ...outcome })));
      ended.push(held.map(({ id }) => id));
    }
    const running = (await claimTwo()).map(({ id }) => id);
    const waiting = [await submitTwo(), await submitTwo({ priority: 5 }), await submitTwo({ delayMs: 10 })];
    const pairs = [...ended, running, ...waiting];
    return [pairs.map(([first]) => first), pairs.map(([, second]) => second)] as const;
  };

  it.each(Object.entries(SPOILT))('sets it aside, and processes all other jobs: %s', async (_, how) => {
    const [spoilt, neighbors] = await inEachPlace();
    for (const id of spoilt) await spoil(id, how);
    expect(await idsOf(store.find(neighbors))).toEqual(neighbors);
    // Of a completed job, which is not to change any more, readers may still make sense.
    expect(await idsOf(store.find(spoilt.slice(1)))).toEqual([]);
    expect((await listed()).filter((id) => id !== spoilt[0])).toEqual(neighbors.toSorted());
    const [again] = await store.submit([aJob({ id: spoilt[0], fingerprint: 'f', owner: 'ann' })], LIMITS);
    expect(again).toEqual({ outcome: 'conflict', on: 'id' });
    on.now += 2_000;
    await store.stats();
    const recovered = await store.recover({ limit: 100, maxCrashes: 9 });
    expect(recovered.every(({ job }) => neighbors.includes(job.id))).toBe(true);
    const claims = await claim(100);
    const waited = await store.find(neighbors.slice(2));
    expect(waited.every((job) => job?.status === 'InProgress')).toBe(true);
    expect(claims.length).toBe(5);
    const held = claims.map(({ job, fence }) => ({ id: job.id, name: job.name, fence }));
    const stale = spoilt.map((id) => ({ id, name: 'Work', fence: 1 }));
    const renewals = [...stale, ...held].map((one) => ({ ...one, leaseMs: 1_000 }));
    expect((await store.renew(renewals)).slice(stale.length)).toEqual(held.map(() => 'held'));
    const [first, second, third, ...rest] = held as [(typeof held)[0], (typeof held)[0], (typeof held)[0]];
    const settled = await store.settle([
      ...stale.map((one) => ({ ...one, verb: 'release' as const })),
      { ...first, verb: 'complete', result: '1' },
      { ...second, verb: 'fail', error: ERROR },
      { ...third, verb: 'release' },
    ]);
    expect(settled.slice(stale.length)).toEqual([true, true, true]);
    const ids = [...spoilt, ...rest.map(({ id }) => id)];
    expect((await store.cancel(ids)).filter((job) => job?.status === 'Canceled')).toHaveLength(rest.length);
    expect((await store.rerun(ids)).filter((job) => job?.status === 'Queued')).toHaveLength(rest.length);
    on.now += 200_000;
    await store.purge(100);
    expect((await store.find(neighbors)).filter(Boolean)).toHaveLength(rest.length + 1);
    expect(on.heard.filter((message) => message.includes('set aside'))).toHaveLength(1);
  });

  it.each([{}, { priority: 5 }])('reports and counts it when only a claim reads it: %j', async (over) => {
    const [spoilt, neighbor] = await submitTwo(over);
    await spoil(spoilt, () => 'no record');
    const counted: unknown[] = [];
    const end = subscribe(store, { unreadable: (message) => counted.push(message) });
    // Waiting workers and sweeps look at the front of the queue too; only a claim reports the record.
    await store.waitForWork(['Work'], new AbortController().signal);
    await store.recover({ limit: 100, maxCrashes: 9 });
    expect((await claim(5)).map(({ job }) => job.id)).toEqual([neighbor]);
    await store.find([spoilt]);
    end();
    expect(counted).toEqual([{ store }]);
    expect(on.heard).toEqual([
      `The record of job ${spoilt} cannot be read and is set aside: run "async-endpoints audit"`,
    ]);
  });
});
