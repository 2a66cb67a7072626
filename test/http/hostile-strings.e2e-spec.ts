import * as fc from 'fast-check';
import { AsyncEndpointsError } from 'nestjs-async-endpoints';
import { hostileId, hostileText } from './fuzz/hostile-text.js';
import { redisContents } from './fuzz/redis-contents.js';
import { ACCEPTING, Report } from './reports.js';
import { redisServer, STACKS } from './stacks.js';
import { startApp } from './start-app.js';

const SEED = Number(process.env.FUZZ_SEED ?? 20_261_123);
const A_NAME = /^[A-Za-z0-9][\w.:-]{0,99}$/;
const NUM_RUNS = 150;

/** What a caller may be told: that what it gave is wrong, by name. */
const ANSWERS = ['INVALID_OPTION', 'INVALID_JOB_ID', 'JOB_NOT_FOUND', 'REQUEST_ID_CONFLICT', 'IDEMPOTENCY_KEY_REUSED'];

async function orCode<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    expect(error).toBeInstanceOf(AsyncEndpointsError);
    expect(ANSWERS).toContain((error as AsyncEndpointsError).code);
    return null;
  }
}

const cursor = fc.oneof(
  hostileText,
  fc.tuple(hostileText, hostileText, hostileText).map((place) => JSON.stringify(place)),
  fc.array(fc.oneof(fc.jsonValue(), hostileText), { minLength: 3, maxLength: 3 }).map((place) => JSON.stringify(place)),
);

describe.each(STACKS.filter((stack) => stack.startsWith('Express')))('Strings from code, on %s', (stack) => {
  it('are found, listed or refused, whatever their characters', async () => {
    const app = await startApp(stack, ACCEPTING);
    await app.jobs.submit(Report, { title: 'Bees' });
    const property = fc.asyncProperty(hostileText, hostileText, hostileId, cursor, async (name, owner, id, from) => {
      expect((await app.jobs.list({ name })).jobs).toEqual([]);
      expect((await app.jobs.list({ owner })).jobs).toEqual([]);
      const page = await orCode(app.jobs.list({}, { cursor: from }));
      expect(page?.jobs.length ?? 0).toBeLessThanOrEqual(1);
      expect(await app.jobs.find(id)).toBeNull();
      expect(await orCode(app.jobs.cancel(id))).toBeNull();
      if (!A_NAME.test(name)) expect(await orCode(app.jobs.submit(name, {}))).toBeNull();
      expect(await app.jobs.depth(name)).toBe(0);
    });
    await fc.assert(property, { seed: SEED, numRuns: NUM_RUNS });
    expect(await app.all()).toHaveLength(1);
  });

  it('are stored unchanged: owners, keys, payloads', async () => {
    const app = await startApp(stack, ACCEPTING);
    const property = fc.asyncProperty(hostileText, hostileText, async (text, idempotencyKey) => {
      const options = { owner: text, idempotencyKey };
      const job = await app.jobs.submit(Report, { title: text }, options);
      const found = await app.jobs.find(job.id);
      expect(found).toMatchObject({ name: 'Report', owner: text, status: 'Queued' });
      expect((await app.jobs.list({ owner: text }, { limit: 1_000 })).jobs.map(({ id }) => id)).toContain(job.id);
      expect((await app.jobs.submit(Report, { title: text }, options)).id).toBe(job.id);
    });
    await fc.assert(property, { seed: SEED, numRuns: NUM_RUNS });
    if (stack.endsWith('Redis')) {
      const keys = (await redisContents((await redisServer()).url)).map(({ key }) => key);
      expect(keys.filter((key) => !/^\{[\da-f-]{36}:0\}:[\w:-]+$/.test(key))).toEqual([]);
    }
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -5, 0.5, 1e9])(
    'limit a page to %d when that is a number',
    async (limit) => {
      const app = await startApp(stack, ACCEPTING);
      await app.jobs.submit(Report, { title: 'Bees' });
      await app.jobs.submit(Report, { title: 'Wasps' });
      const page = await orCode(app.jobs.list({}, { limit }));
      if (Number.isNaN(limit)) expect(page).toBeNull();
      else expect(page?.jobs).toHaveLength(limit > 1 ? 2 : 1);
    },
  );
});
