import { randomUUID } from 'node:crypto';
import { type RedisServer, startRedisServer } from '@app/redis-server';
import { Redis } from 'ioredis';
import { aJob } from '../../testing/index.js';
import { RedisKeys } from './keys.js';
import { RedisJobStore } from './redis-job-store.js';

const SWEEP = { limit: 10, maxCrashes: 1, sweep: { silenceMs: 500, leaseMs: 900 } };
const HOUR = 3_600_000;

describe('RedisJobStore, when its clock jumps or workers restart', () => {
  let server: RedisServer;
  let client: Redis;
  let prefix: string;
  let stores: RedisJobStore[];
  /** Of the server: what the store makes of it is what is tested. */
  let clock: number;

  beforeAll(async () => {
    server = await startRedisServer();
    client = new Redis(server.url);
  });

  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });

  beforeEach(() => {
    prefix = randomUUID();
    clock = 10 * HOUR;
    stores = [];
  });

  afterEach(() => Promise.all(stores.map((store) => store.close())));

  /** Of a process of its own. */
  const aStore = async () => {
    const store = new RedisJobStore({ url: server.url, prefix, now: () => clock });
    await store.open();
    stores.push(store);
    return store;
  };
  const submit = async (store: RedisJobStore, over: Parameters<typeof aJob>[0] = {}) => {
    const job = aJob(over);
    await store.submit([job], { queueLimit: 10 });
    return job.id;
  };
  const claim = (store: RedisJobStore) =>
    store.claim({ worker: 'w', leaseMs: 900, limit: 1, slots: new Map([['Work', 1]]) });
  const running = async (store: RedisJobStore) => {
    await submit(store);
    const [claimed] = await claim(store);
    return claimed as NonNullable<typeof claimed>;
  };
  const sweep = async (store: RedisJobStore, afterMs = 0) => {
    clock += afterMs;
    return (await store.recover(SWEEP)).map(({ job }) => [job.status, job.crashes]);
  };
  const CRASHED = ['Failed', 1];

  it('counts a crash when the only worker died and was restarted', async () => {
    const [died, started] = [await aStore(), await aStore()];
    await sweep(died);
    await running(died);
    expect(await sweep(started, 4_000)).toEqual([]); // others may live: they renew within a third of a lease
    expect(await sweep(started, 300)).toEqual([CRASHED]);
  });

  it('keeps the claims of workers that live through a silence, even when a new worker sweeps first', async () => {
    const [lives, started] = [await aStore(), await aStore()];
    await sweep(lives);
    const { job, fence } = await running(lives);
    expect(await sweep(started, 4_000)).toEqual([]);
    expect(await sweep(lives, 200)).toEqual([]);
    expect(await sweep(started, 300)).toEqual([]);
    expect(await lives.renew([{ id: job.id, fence, leaseMs: 900 }])).toEqual(['held']);
    expect(await sweep(started, 450)).toEqual([]);
  });

  it('recovers the jobs of a single disconnected worker', async () => {
    const [cutOff, other] = [await aStore(), await aStore()];
    await sweep(cutOff);
    await running(cutOff);
    for (const expected of [[], [], [CRASHED]]) expect(await sweep(other, 300)).toEqual(expected);
    expect(await sweep(cutOff, 100)).toEqual([]);
  });

  it('counts no crash when the clock jumps forward', async () => {
    const store = await aStore();
    const { job, fence } = await running(store);
    await sweep(store);
    expect(await sweep(store, 20_000)).toEqual([]);
    expect(await sweep(store, 300)).toEqual([]);
    expect(await store.renew([{ id: job.id, fence, leaseMs: 900 }])).toEqual(['held']);
    for (let n = 0; n < 2; n++) expect(await sweep(store, 400)).toEqual([]);
    expect(await sweep(store, 400)).toEqual([CRASHED]); // and now nobody has renewed it
  });

  it('continues delays and recovery when the clock is set back', async () => {
    const store = await aStore();
    await running(store);
    await sweep(store);
    clock -= HOUR;
    const delayed = await submit(store, { delayMs: 400 });
    expect(await sweep(store)).toEqual([]);
    expect(await sweep(store, 450)).toEqual([]);
    expect((await claim(store)).map(({ job }) => job.id)).toEqual([delayed]);
    expect(await sweep(store, 480)).toEqual([]); // it runs slower by a tenth
    expect(await sweep(store, 60)).toEqual([CRASHED]);
  });

  it("has a clock that never goes back, and that agrees with the server's after a while", async () => {
    const store = await aStore();
    await sweep(store);
    clock -= 10_000;
    const times: number[] = [];
    for (let n = 0; n < 320; n++) {
      await sweep(store, 450);
      const [created] = await store.submit([aJob()], { queueLimit: 1_000 });
      times.push(created?.outcome === 'created' ? created.job.createdAt : 0);
    }
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times[0]).toBeGreaterThanOrEqual(10 * HOUR);
    expect(times.at(-1)).toBe(clock);
  });

  it('uses the same clock for the running time of jobs', async () => {
    const store = await aStore();
    await sweep(store);
    clock -= HOUR;
    await sweep(store);
    const { job } = await running(store);
    clock += 100;
    expect((await store.list({ runningForMs: 100 }, { limit: 10 })).jobs.map(({ id }) => id)).toEqual([job.id]);
  });

  it('works after its clock field was damaged by hand', async () => {
    const store = await aStore();
    await client.hset(new RedisKeys(prefix, 0).counters, 'clock', 'nonsense');
    await running(store);
    expect(await sweep(store)).toEqual([]);
    expect(await sweep(store, 450)).toEqual([]);
    expect(await sweep(store, 450)).toEqual([CRASHED]);
    expect(await store.audit()).toEqual([]);
  });
});
