import { randomUUID } from 'node:crypto';
import { type RedisServer, startRedisServer } from '@app/redis-server';
import { Redis } from 'ioredis';
import { subscribe } from '../../events/channels.js';
import { FollowedJobs } from '../../jobs/follow.js';
import type { JobChange } from '../../store/job-store.js';
import { aJob, eventually } from '../../testing/index.js';
import { RedisChannels } from './keys.js';
import type { RedisJobStoreOptions } from './options.js';
import { RedisJobStore } from './redis-job-store.js';

describe('RedisJobStore, when its subscriber connection is cut', () => {
  let server: RedisServer;
  let client: Redis;
  let store: RedisJobStore;
  let channels: RedisChannels;

  beforeEach(async () => {
    server = await startRedisServer();
    client = new Redis(server.url);
    const prefix = randomUUID();
    channels = new RedisChannels(prefix, { database: 0, keyPrefix: '' });
    store = new RedisJobStore({ url: server.url, prefix });
    await store.open();
  });

  afterEach(async () => {
    await store.close();
    client.disconnect();
    await server.stop();
  });

  it('notifies subscribers of missed changes, and receives new ones for jobs and workers', async () => {
    const [missed, later] = [aJob(), aJob({ name: 'Later' })];
    await store.submit([missed, later], { queueLimit: 10 });
    const slots = new Map([['Later', 1]]);
    await store.claim({ worker: 'w', leaseMs: 60_000, limit: 1, slots });
    const heard: string[] = [];
    for (const { id } of [missed, later]) {
      await store.subscribe({ job: id }, ({ status }) => heard.push(`${id} ${status}`));
    }
    await store.subscribe({ worker: 'w' }, ({ id, status }) => heard.push(`w: ${id} ${status}`));
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
  it('publishes a small record whole, and of a large one only its id and version', async () => {
    const server = await startRedisServer();
    const store = new RedisJobStore({ url: server.url });
    await store.open();
    const jobs = [aJob({ owner: 'Zoë\n"1"' }), aJob()];
    const ids = jobs.map(({ id }) => id);
    const told = new Map<string, JobChange>();
    await store.submit(jobs, { queueLimit: 10 });
    for (const id of ids) await store.subscribe({ job: id }, (change) => told.set(`${id} ${change.status}`, change));
    const claims = await store.claim({ worker: 'w', leaseMs: 60_000, limit: 2, slots: new Map([['Work', 2]]) });
    const results = ['{"text":"ä\\n\\u001e"}', JSON.stringify('x'.repeat(2_000))];
    const settlements = claims.map(({ job: { id, name }, fence }, n) => ({
      id,
      name,
      fence,
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

describe('RedisJobStore on a shared Redis', () => {
  let server: RedisServer;
  let client: Redis;
  const stores: RedisJobStore[] = [];

  beforeAll(async () => {
    server = await startRedisServer();
    client = new Redis(server.url);
  });

  afterEach(() => Promise.all(stores.splice(0).map((store) => store.close())));

  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });

  const opened = async (options: RedisJobStoreOptions) => {
    const store = new RedisJobStore({ url: server.url, ...options });
    stores.push(store);
    await store.open();
    return store;
  };

  /** A job that is claimed, and all that its followers and its worker are told from now on. */
  const watched = async (store: RedisJobStore, id: string) => {
    await store.submit([aJob({ id })], { queueLimit: 10 });
    const slots = new Map([['Work', 1]]);
    const [claim] = await store.claim({ worker: 'w', leaseMs: 60_000, limit: 1, slots });
    const told: JobChange[] = [];
    await store.subscribe({ job: id }, (change) => told.push(change));
    await store.subscribe({ worker: 'w' }, (change) => told.push(change));
    const complete = () =>
      store.settle([{ verb: 'complete', id, name: 'Work', fence: claim?.fence as number, result: '"true"' }]);
    return { told, complete };
  };

  it.each([
    ['in another database', (prefix: string) => ({ prefix, redis: { db: 1 } })],
    ['behind a prefix of the client', (prefix: string) => ({ prefix, redis: { keyPrefix: 'shop:' } })],
  ])('receives nothing from a deployment with the same prefix %s', async (_where, other) => {
    const prefix = randomUUID();
    const id = randomUUID();
    const [ours, theirs] = [await opened({ prefix }), await opened(other(prefix))];
    const here = await watched(ours, id);
    const there = await watched(theirs, id);
    await there.complete();
    await eventually(() => there.told.length > 0);
    await theirs.cancel([id]);
    await here.complete();
    await eventually(() => here.told.length > 0);
    expect(here.told.map(({ job }) => job?.result)).toEqual(['"true"']);
  });

  it('ignores and counts malformed messages, and records and revocations without a valid seal', async () => {
    const prefix = randomUUID();
    const id = randomUUID();
    const store = await opened({ prefix });
    const channels = new RedisChannels(prefix, { database: 0, keyPrefix: '' });
    let counted = 0;
    const notices: string[] = [];
    const end = subscribe(store, { ignored: () => counted++, notice: ({ message }) => notices.push(message) });
    const { told, complete } = await watched(store, id);
    // What a real completion of this job looks like, but for the seal and the result.
    const line = `${id} C 3 1C000000011${'0'.repeat(6)}0,0,0,0,0;1,3,5,5,5\x1eWork\x1e\x1e0\x1e\x1e\x1e\x1e\x1e"forged"\x1e`;
    const bad = [
      'x',
      '',
      '\nx',
      `\n${id}`,
      `\n${id} ? 1`,
      `\n${id} C x`,
      `\n${id} C ${'9'.repeat(400)}`,
      '\n\n\n',
      `\n{}`,
    ];
    for (const message of bad) await client.publish(channels.changes, message);
    for (const seal of ['', 'f'.repeat(40)]) {
      await client.publish(channels.changes, `${seal}\n${line}`);
      await client.publish(channels.revocations, `${seal}\n"w" ${id} X 9`);
    }
    for (const message of ['x', '', '\nx', `\n"w ${id} X 9`]) await client.publish(channels.revocations, message);
    await eventually(() => told.filter(({ status }) => status === 'Completed').length === 2); // read the record, it says
    expect(told.every(({ job }) => job === undefined)).toBe(true);
    await eventually(() => counted >= bad.length + 2 + 2 + 4);
    expect(notices).toEqual([
      `Somebody else publishes on the Redis channel ${channels.changes}: 1 messages ignored so far.`,
    ]);
    await complete();
    await eventually(() => told.some(({ job }) => job !== undefined));
    expect(told.at(-1)?.job?.result).toBe('"true"');
    end();
  });

  it('ignores a replayed message about a job whose id is used again', async () => {
    const prefix = randomUUID();
    const id = randomUUID();
    const store = await opened({ prefix });
    const jobs = new FollowedJobs(store, async (one) => (await store.find([one]))[0] ?? null);
    const messages: string[] = [];
    const listener = client.duplicate();
    const { changes } = new RedisChannels(prefix, { database: 0, keyPrefix: '' });
    await listener.subscribe(changes);
    listener.on('message', (_channel, message: string) => messages.push(message));
    const { complete } = await watched(store, id);
    await complete();
    await eventually(() => messages.some((message) => message.includes('true')));
    await client.hdel(`{${prefix}:0}:jobs`, id); // as if it were purged
    await store.submit([aJob({ id })], { queueLimit: 10 });
    const waiting = jobs.waitFor(id, { timeoutMs: 60_000 });
    await eventually(async () => (await client.pubsub('NUMSUB', changes))[1] === 2);
    const [recorded] = messages.filter((message) => message.includes('true')) as [string];
    await client.publish(changes, recorded);
    await store.cancel([id]);
    expect(await waiting).toMatchObject({ status: 'Canceled', result: null });
    listener.disconnect();
  });

  it.each(['}x', '{x}', 'a{b', '', 'x'.repeat(201), 'a\nb'])('refuses the prefix %j', (prefix) => {
    expect(() => new RedisJobStore({ prefix })).toThrow('expected a text of 1 to 200 characters without braces');
  });

  it('refuses a keyPrefix that leaves the keys of a partition without a common slot', () => {
    expect(() => new RedisJobStore({ redis: { keyPrefix: 'a{}:' } })).toThrow('a keyPrefix without "{}"');
  });
});
