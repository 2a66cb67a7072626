import { randomUUID } from 'node:crypto';
import { type RedisServer, startRedisServer } from '@app/redis-server';
import { Redis } from 'ioredis';
import { aJob, eventually } from '../testing/index.js';
import { RedisChannels } from './keys.js';
import type { JobChange } from '../store/job-store.js';
import { RedisJobStore } from './redis-job-store.js';

describe('RedisJobStore, when the connection that listens is cut', () => {
  let server: RedisServer;
  let client: Redis;
  let store: RedisJobStore;
  let channels: RedisChannels;

  beforeEach(async () => {
    server = await startRedisServer();
    client = new Redis(server.url);
    channels = new RedisChannels(randomUUID());
    store = new RedisJobStore({ url: server.url, prefix: channels.prefix });
    await store.open();
  });

  afterEach(async () => {
    await store.close();
    client.disconnect();
    await server.stop();
  });

  it('tells followers what they missed, and hears of jobs and of its worker again (R3)', async () => {
    const [missed, later] = [aJob(), aJob({ name: 'Later' })];
    await store.submit([missed, later], { queueLimit: 10 });
    const slots = new Map([['Later', 1]]);
    await store.claim({ worker: 'w', leaseMs: 60_000, limit: 1, slots });
    const heard: string[] = [];
    for (const { id } of [missed, later]) {
      await store.watch({ job: id }, ({ status }) => heard.push(`${id} ${status}`));
    }
    await store.watch({ worker: 'w' }, ({ id, status }) => heard.push(`w: ${id} ${status}`));
    expect(await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub')).toBe(1);
    await store.cancel([missed.id]); // before it has connected anew
    await eventually(() => heard.includes(`${missed.id} Canceled`), 4_000);
    const heardBy = () => client.pubsub('NUMSUB', channels.changes, channels.revocations);
    expect(await heardBy()).toEqual([channels.changes, 1, channels.revocations, 1]);
    await store.cancel([later.id]);
    await eventually(() => [`${later.id} Canceled`, `w: ${later.id} Canceled`].every((one) => heard.includes(one)));
  });
});

describe('RedisJobStore, when a job completes', () => {
  it('tells of it whole where it is small, so that nobody need read it; else what to read', async () => {
    const server = await startRedisServer();
    const store = new RedisJobStore({ url: server.url });
    await store.open();
    const jobs = [aJob({ owner: 'Zoë\n"1"' }), aJob()];
    const ids = jobs.map(({ id }) => id);
    const told = new Map<string, JobChange>();
    await store.submit(jobs, { queueLimit: 10 });
    for (const id of ids) await store.watch({ job: id }, (change) => told.set(`${id} ${change.status}`, change));
    const claims = await store.claim({ worker: 'w', leaseMs: 60_000, limit: 2, slots: new Map([['Work', 2]]) });
    const results = ['{"text":"ä\\n\\u001e"}', JSON.stringify('x'.repeat(2_000))];
    const settlements = claims.map(({ job: { id, name }, token }, n) => ({
      id,
      name,
      token,
      result: results[n] ?? null,
    }));
    await store.settle(settlements.map((settlement) => ({ verb: 'complete', ...settlement })));
    await eventually(() => ids.every((id) => told.has(`${id} Completed`)));
    const [small, large] = claims.map(({ job: { id } }) => told.get(`${id} Completed`));
    expect(small?.job).toEqual((await store.find([small?.id ?? '']))[0]);
    expect(small?.job?.result).toBe(results[0]);
    expect(large).toMatchObject({ status: 'Completed', job: undefined });
    expect(told.get(`${ids[0]} InProgress`)).toMatchObject({ job: undefined });
    await store.close();
    await server.stop();
  });
});
