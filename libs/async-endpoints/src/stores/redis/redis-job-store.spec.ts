import { randomUUID } from 'node:crypto';
import { type RedisServer, startRedisServer } from '@app/redis-server';
import { Redis } from 'ioredis';
import { STORE_NOTICE, type StoreNotice } from '../../events/channels.js';
import type { JobRecord } from '../../job/job.js';
import { describeJobStore, type StoreUnderTest } from '../../testing/contract/index.js';
import { checkHostileStrings } from '../../testing/hostile-strings.properties.js';
import { aJob, eventually } from '../../testing/index.js';
import { checkAgainstModel } from '../../testing/job-store.properties.js';
import { accessRules } from './access.js';
import type { RedisJobStoreOptions } from './options.js';
import { RedisJobStore } from './redis-job-store.js';

/** The long run has more: `PROPERTY_RUNS=1000`. */
const HISTORIES = Number(process.env['PROPERTY_RUNS'] ?? 200);

let server: RedisServer;

beforeAll(async () => {
  server = await startRedisServer();
});

afterAll(() => server.stop());

async function create(priorityAgingMs?: number): Promise<StoreUnderTest> {
  let now = 1_000_000;
  const store = new RedisJobStore({ url: server.url, prefix: randomUUID(), priorityAgingMs, now: () => now });
  await store.open();
  const dispose = async () => {
    expect(await store.audit()).toEqual([]);
    await store.close();
  };
  return { store, advance: (ms) => void (now += ms), dispose };
}

/** As the user that `accessRules` describes; only the audit after each test may do more. Notes which commands were run. */
async function createAsUser(admin: Redis, run: Set<string>): Promise<StoreUnderTest> {
  let now = 1_000_000;
  const prefix = randomUUID();
  await admin.call('ACL', 'SETUSER', prefix, 'on', '>secret', ...accessRules({ prefix }));
  const store = new RedisJobStore({
    url: server.url,
    redis: { username: prefix, password: 'secret' },
    prefix,
    now: () => now,
  });
  await store.open();
  const before = await commandCalls(admin);
  const dispose = async () => {
    for (const [name, calls] of await commandCalls(admin)) if (calls !== before.get(name)) run.add(name);
    await admin.call('ACL', 'SETUSER', prefix, ...accessRules({ prefix, audit: true }));
    expect(await store.audit()).toEqual([]);
    await store.close();
    await admin.call('ACL', 'DELUSER', prefix);
  };
  return { store, advance: (ms) => void (now += ms), dispose };
}

async function commandCalls(admin: Redis): Promise<Map<string, number>> {
  const lines = (await admin.info('commandstats')).matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm);
  return new Map([...lines].map(([, name = '', calls]) => [name, Number(calls)]));
}

// The audit after each test sees it.
describe('RedisJobStore keeps records and indexes consistent', () => {
  let admin: Redis;
  const run = new Set<string>();

  beforeAll(() => {
    admin = new Redis(server.url);
  });

  afterAll(() => admin.disconnect());

  describeJobStore('RedisJobStore with the rights of accessRules() and no others', () => createAsUser(admin, run));

  it('runs every command that accessRules() allows, except those of clusters', () => {
    const allowed = accessRules().flatMap((rule) => (rule.startsWith('+') ? rule.slice(1) : []));
    const others = ['asking', 'cluster|info', 'cluster|slots', 'readonly', 'unsubscribe'];
    expect(allowed.filter((name) => !run.has(name))).toEqual(others);
  });
});

describe('RedisJobStore, compared with the lifecycle model', () => {
  it(
    `replies like the model over ${HISTORIES} random histories`,
    async () => {
      await checkAgainstModel(() => create(), HISTORIES);
    },
    Math.max(240_000, HISTORIES * 2_000),
  );
});

describe('RedisJobStore, compared with the model with aging priorities', () => {
  it.each([0, 10])(
    'replies like the model with a priorityAgingMs of %s',
    (ms) => checkAgainstModel(() => create(ms), 40, ms || 2 ** 45),
    60_000,
  );
});

describe('RedisJobStore, given any text', () => {
  it('returns every text unchanged', () => checkHostileStrings(() => create(), 50), 60_000);
});

async function noticesOf(happening: () => Promise<void>): Promise<string[]> {
  const heard: string[] = [];
  const hear = (notice: unknown) => void heard.push((notice as StoreNotice).message);
  STORE_NOTICE.subscribe(hear);
  await happening();
  STORE_NOTICE.unsubscribe(hear);
  return heard;
}

describe('RedisJobStore on a server', () => {
  const aStore = async (options: RedisJobStoreOptions = {}) => {
    const store = new RedisJobStore({ url: server.url, prefix: randomUUID(), ...options });
    await store.open();
    return store;
  };

  it('uses the clock of Redis', async () => {
    const store = await aStore();
    const at = Date.now();
    const wrong = vi.spyOn(Date, 'now').mockImplementation(() => at + 86_400_000);
    onTestFinished(() => wrong.mockRestore());
    const [submission] = await store.submit([aJob()], { queueLimit: 1 });
    expect(Math.abs((submission as { job: JobRecord }).job.createdAt - at)).toBeLessThan(60_000);
    await store.close();
  });

  it('fails when Redis is unreachable: at boot, or degraded with every call', async () => {
    const nowhere = { url: 'redis://127.0.0.1:1', redis: { retryStrategy: () => null } };
    await expect(aStore(nowhere)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('Redis cannot be used: '),
    });
    const degraded = await aStore({ ...nowhere, connect: 'degraded' });
    await expect(degraded.ping()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await expect(degraded.submit([aJob()], { queueLimit: 1 })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await degraded.close();
  });

  it('warns about an eviction policy that may delete jobs, and about a server without persistence', async () => {
    const risky = await startRedisServer(['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru']);
    let store: RedisJobStore | undefined;
    const heard = await noticesOf(async () => {
      store = await aStore({ url: risky.url });
    });
    expect(heard).toEqual([
      expect.stringContaining('set maxmemory-policy to noeviction (it is allkeys-lru)'),
      expect.stringContaining('keeps nothing on disk'),
    ]);
    await store?.close();
    await risky.stop();
    const careful = await startRedisServer(['--maxmemory-policy', 'allkeys-lru', '--appendonly', 'yes']);
    expect(await noticesOf(async () => (await aStore({ url: careful.url })).close())).toEqual([]); // no limit, no eviction
    await careful.stop();
  });

  it('drops and reports an entry whose job does not exist', async () => {
    const prefix = randomUUID();
    const store = await aStore({ prefix });
    const [lost, lostFirst, next] = [aJob(), aJob({ priority: 5 }), aJob()];
    await store.submit([lost, lostFirst, next], { queueLimit: 10 });
    const client = new Redis(server.url);
    await client.hdel(`{${prefix}:0}:jobs`, lost.id, lostFirst.id);
    expect(await store.audit()).toHaveLength(6); // the entries by priority, and the counters of both
    const heard = await noticesOf(async () => {
      const claims = await store.claim({ worker: 'w', leaseMs: 1_000, limit: 5, slots: new Map([['Work', 5]]) });
      expect(claims.map(({ job }) => job.id)).toEqual([next.id]);
    });
    expect(heard).toEqual([
      expect.stringContaining('1 queue entries of jobs that do not wait in the queue were dropped'),
    ]);
    client.disconnect();
    await store.close();
  });

  it('wakes another worker with the next sweep when the woken one has died', async () => {
    const prefix = randomUUID();
    const [store, sweeper] = [await aStore({ prefix }), await aStore({ prefix })];
    const [gone, client] = [new Redis(server.url), new Redis(server.url)];
    const blocked = (count: number) => async () =>
      new RegExp(`blocked_clients:${count}\\b`).test(await client.info('clients'));
    const popped = gone.bzpopmin(`{${prefix}:0}:wake:Work`, 0);
    await eventually(blocked(1));
    const giveUp = new AbortController();
    let woken = 0;
    const waiting = store.waitForWork(['Work'], giveUp.signal).then(() => woken++);
    await eventually(blocked(2));
    await store.submit([aJob()], { queueLimit: 1 });
    await popped; // and does nothing with it
    expect(woken).toBe(0);
    for (let sweep = 1; sweep <= 2; sweep++) await sweeper.recover({ limit: 10, maxCrashes: 3 }); // the first learns the names
    await waiting;
    expect(giveUp.signal.aborted).toBe(false);
    gone.disconnect();
    client.disconnect();
    await Promise.all([store.close(), sweeper.close()]);
  });

  it('recovers expired claims among many renewed or ended ones, and drops entries of the latter', async () => {
    const prefix = randomUUID();
    let now = 1_000_000;
    const store = await aStore({ prefix, now: () => now });
    const client = new Redis(server.url);
    const leases = () => client.zcard(`{${prefix}:0}:leases`);
    const claim = () => store.claim({ worker: 'w', leaseMs: 1_000, limit: 1, slots: new Map([['Work', 1]]) });
    await store.submit(
      Array.from({ length: 250 }, () => aJob()),
      { queueLimit: 1_000 },
    );
    for (let n = 0; n < 250; n++) {
      const [{ job, fence } = {} as never] = await claim();
      if (n % 50 === 49) continue; // vanishes
      if (n % 2) await store.settle([{ id: job.id, name: 'Work', fence, verb: 'complete', result: null }]);
      else await store.renew([{ id: job.id, fence, leaseMs: 5_000 }]);
    }
    now += 1_000;
    expect(await store.recover({ limit: 100, maxCrashes: 3 })).toHaveLength(5);
    expect(await store.recover({ limit: 100, maxCrashes: 3 })).toEqual([]);
    expect(await leases()).toBe(125); // renewed
    now += 4_000;
    expect(await store.recover({ limit: 100, maxCrashes: 3 })).toHaveLength(100);
    expect(await store.audit()).toEqual([]);
    client.disconnect();
    await store.close();
  });

  it('drops entries of ended leases also without a recovery', async () => {
    const prefix = randomUUID();
    let now = 1_000_000;
    const store = await aStore({ prefix, now: () => now });
    const client = new Redis(server.url);
    for (let n = 0; n < 250; n++) {
      await store.submit([aJob()], { queueLimit: 1_000 });
      const slots = new Map([['Work', 1]]);
      const [{ job, fence } = {} as never] = await store.claim({ worker: 'w', leaseMs: 1_000, limit: 1, slots });
      await store.settle([{ id: job.id, name: 'Work', fence, verb: 'complete', result: null }]);
    }
    expect(await client.zcard(`{${prefix}:0}:leases`)).toBe(250);
    now += 1_000;
    expect(await store.purge(10)).toEqual([]);
    expect(await client.exists(`{${prefix}:0}:leases`)).toBe(0);
    client.disconnect();
    await store.close();
  });

  it('keeps fields that a newer version has added to a record', async () => {
    const prefix = randomUUID();
    const store = await aStore({ prefix });
    const job = aJob();
    await store.submit([job], { queueLimit: 10 });
    const client = new Redis(server.url);
    const jobs = `{${prefix}:0}:jobs`;
    const [first = '', ...lines] = ((await client.hget(jobs, job.id)) as string).split('\n');
    lines.splice(5, 0, '', 'of the future');
    const bytes = lines.slice(0, 7).join('\n').length + 1;
    const later = `${first.slice(0, 10)}7${bytes.toString(16).padStart(6, '0')}${first.slice(17)}`;
    await client.hset(jobs, job.id, [later, ...lines].join('\n'));
    const slots = new Map([['Work', 1]]);
    const [claim] = await store.claim({ worker: 'w', leaseMs: 1_000, limit: 1, slots });
    expect(claim).toMatchObject({ payload: job.payload, job: { name: 'Work', fingerprint: job.fingerprint } });
    const settlement = {
      id: job.id,
      name: 'Work',
      fence: 1,
      verb: 'fail',
      error: { code: 'E', message: 'm' },
    } as const;
    expect(await store.settle([settlement])).toEqual([true]);
    expect(await client.hget(jobs, job.id)).toMatch(/\n\[1,"w",.*\nof the future\n/);
    client.disconnect();
    await store.close();
  });

  it('does not read the payload for the status of a job', async () => {
    const store = await aStore();
    const job = aJob({ payload: JSON.stringify({ request: 'x'.repeat(1_000_000) }) });
    await store.submit([job], { queueLimit: 10 });
    const client = new Redis(server.url);
    const sent = async () => Number(/total_net_output_bytes:(\d+)/.exec(await client.info('stats'))?.[1]);
    const before = await sent();
    const [found] = await store.find([job.id]);
    expect(found?.status).toBe('Queued');
    expect((await sent()) - before).toBeLessThan(20_000);
    client.disconnect();
    await store.close();
  });

  it('gives each reported action to one caller, and keeps a bounded number', async () => {
    const actions = Array.from({ length: 1_005 }, (_, count) => ({
      verb: 'purge' as const,
      by: 'me',
      jobs: [{ name: null, status: null, count }],
    }));
    const store = await aStore();
    await Promise.all(actions.map((action) => store.reportAction(action)));
    const taken = await Promise.all(Array.from({ length: 12 }, () => store.takeActions()));
    expect(taken.flat()).toHaveLength(1_000);
    expect(taken.flat()).toEqual(expect.arrayContaining(actions.slice(5)));
    expect(await store.takeActions()).toEqual([]);
    await store.close();
  });

  it('shares a server with other applications by its prefix', async () => {
    const [one, two] = [await aStore(), await aStore()];
    const job = aJob();
    await one.submit([job], { queueLimit: 10 });
    expect(await two.find([job.id])).toEqual([null]);
    await Promise.all([one.close(), two.close()]);
  });

  it('uses three connections for any number of waiters and subscribers', async () => {
    const quiet = await startRedisServer();
    const store = await aStore({ url: quiet.url });
    const giveUp = new AbortController();
    const waits = Array.from({ length: 9 }, (_, n) => store.waitForWork([`Name${n}`], giveUp.signal));
    const watches = await Promise.all(
      Array.from({ length: 20 }, () => store.subscribe({ job: randomUUID() }, () => {})),
    );
    const client = new Redis(quiet.url);
    expect(((await client.client('LIST')) as string).trim().split('\n')).toHaveLength(3 + 1);
    giveUp.abort();
    for (const unsubscribe of watches) unsubscribe();
    await Promise.all(waits);
    client.disconnect();
    await store.close();
    await quiet.stop();
  });
});
