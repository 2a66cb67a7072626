import { STORE_NOTICE, type StoreNotice } from '../../events/channels.js';
import { aJob } from '../../testing/index.js';
import { MemoryJobStore } from './memory-job-store.js';

const KIB = 1024;
const TEXT = JSON.stringify('x'.repeat(10 * KIB));

async function completed(store: MemoryJobStore, result: string): Promise<string> {
  const job = aJob();
  await store.submit([job], { queueLimit: 100 });
  const [claim] = await store.claim({ worker: 'w', leaseMs: 1_000, limit: 1, slots: new Map([['Work', 1]]) });
  const fence = claim?.fence as number;
  await store.settle([{ id: job.id, name: 'Work', fence, verb: 'complete', result }]);
  return job.id;
}

async function canceled(store: MemoryJobStore, given: Parameters<typeof aJob>[0]): Promise<string> {
  const job = aJob(given);
  await store.submit([job], { queueLimit: 100 });
  await store.cancel([job.id]);
  return job.id;
}

describe('The terminal jobs of a MemoryJobStore', () => {
  const left = async (store: MemoryJobStore, ids: string[]) =>
    (await store.find(ids)).map((job, n) => (job ? n : null)).filter((n) => n !== null);
  const sumOf = async (store: MemoryJobStore) => (await store.stats()).reduce((sum, { count }) => sum + count, 0);

  it('are purged, oldest end first, when their results take more than maxFinishedBytes', async () => {
    const store = new MemoryJobStore({ maxFinishedBytes: 40 * KIB, now: () => 1_000 });
    const ids: string[] = [];
    for (let n = 0; n < 10; n++) ids.push(await completed(store, TEXT));
    expect(await left(store, ids)).toEqual([7, 8, 9]);
    expect(await sumOf(store)).toBe(3);
    expect((await store.list({}, { limit: 100 })).jobs.map(({ id }) => id)).toEqual(ids.slice(7).toReversed());
  });

  it.each([
    ['payloads', { payload: TEXT }],
    ['owners', { owner: 'o'.repeat(10 * KIB) }],
  ])('are counted with their %s', async (_what, given) => {
    const store = new MemoryJobStore({ maxFinishedBytes: 40 * KIB });
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.push(await canceled(store, given));
    expect(await left(store, ids)).toEqual([2, 3, 4]);
  });

  it('are counted with their errors', async () => {
    const store = new MemoryJobStore({ maxFinishedBytes: 40 * KIB });
    const jobs = Array.from({ length: 5 }, () => aJob());
    await store.submit(jobs, { queueLimit: 100 });
    const claims = await store.claim({ worker: 'w', leaseMs: 1_000, limit: 5, slots: new Map([['Work', 5]]) });
    const error = { code: 'BROKEN', message: 'm', details: 'x'.repeat(10 * KIB) };
    await store.settle(
      claims.map(({ job, fence }) => ({ id: job.id, name: 'Work', fence, verb: 'fail' as const, error })),
    );
    const failed = claims.map(({ job }) => job.id);
    expect(await left(store, failed)).toEqual([2, 3, 4]);
  });

  it('are bounded in number when they are small, without counting other jobs', async () => {
    const store = new MemoryJobStore({ maxFinishedBytes: 10 * 720 });
    const waiting = aJob({ payload: TEXT, delayMs: 60_000 });
    await store.submit([waiting], { queueLimit: 100 });
    for (let n = 0; n < 100; n++) await completed(store, '1');
    expect(await sumOf(store)).toBe(10);
    expect((await store.find([waiting.id]))[0]?.status).toBe('Scheduled');
  });

  it('free their bytes when they are rerun or purged', async () => {
    let now = 1_000;
    const store = new MemoryJobStore({ maxFinishedBytes: 25 * KIB, now: () => now });
    const [first, second] = [await canceled(store, { payload: TEXT }), await canceled(store, { payload: TEXT })];
    await store.rerun([first]);
    const third = await canceled(store, { payload: TEXT });
    expect(await left(store, [first, second, third])).toEqual([0, 1, 2]);
    now += 60_000;
    expect(await store.purge(10)).toHaveLength(2);
    await store.cancel([first]);
    const fourth = await canceled(store, { payload: TEXT });
    expect(await left(store, [first, fourth])).toEqual([0, 1]);
  });

  it('include the last one, however large, and cause one notice', async () => {
    const store = new MemoryJobStore({ maxFinishedBytes: 1 });
    const told: string[] = [];
    const hear = (notice: unknown) => void told.push((notice as StoreNotice).message);
    STORE_NOTICE.subscribe(hear);
    const ids = [await completed(store, TEXT), await completed(store, TEXT), await completed(store, TEXT)];
    STORE_NOTICE.unsubscribe(hear);
    expect(await left(store, ids)).toEqual([2]);
    expect(told).toEqual([expect.stringContaining('maxFinishedBytes')]);
  });

  it.each([0, -1, 0.5, Number.NaN, '1'])('refuse %j as maxFinishedBytes', (maxFinishedBytes) => {
    expect(() => new MemoryJobStore({ maxFinishedBytes: maxFinishedBytes as number })).toThrow('maxFinishedBytes is');
  });
});
