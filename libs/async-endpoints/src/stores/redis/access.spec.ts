import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { type RedisServer, startRedisServer } from '@app/redis-server';
import { Redis } from 'ioredis';
import { STORE_NOTICE, type StoreNotice } from '../../events/channels.js';
import { aJob, eventually } from '../../testing/index.js';
import { accessRules, OF_AUDITS, SCRIPT_COMMANDS } from './access.js';
import { RedisKeys } from './keys.js';
import { RedisJobStore } from './redis-job-store.js';

/** Of `COMMAND INFO`: name, arity, flags and, last, its subcommands in the same form. */
type CommandInfo = [name: string, arity: number, flags: string[], ...unknown[]] & { 9?: CommandInfo[] };

describe('The access rules of RedisJobStore', () => {
  let server: RedisServer;
  let admin: Redis;
  const as = (user: string) => `redis://${user}:secret@127.0.0.1:${server.port}`;

  beforeAll(async () => {
    server = await startRedisServer();
    admin = new Redis(server.url);
    await admin.call('ACL', 'SETUSER', 'jobs', 'on', '>secret', ...accessRules());
    await admin.call(
      'ACL',
      'SETUSER',
      'spread',
      'on',
      '>secret',
      ...accessRules({ prefix: 'spread', partitions: 3, database: 2 }),
    );
    await admin.call('ACL', 'SETUSER', 'auditor', 'on', '>secret', ...accessRules({ audit: true }));
    await admin.set('foreign', '1');
  });

  afterAll(async () => {
    admin.disconnect();
    await server.stop();
  });

  it('contain every command of the scripts', () => {
    const folder = new URL('scripts/', import.meta.url);
    const lua = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), 'utf8'));
    const called = lua.flatMap((text) => [...text.matchAll(/(?:call|in_chunks)\('([A-Z]+)'/g)].map(([, name]) => name));
    const known = SCRIPT_COMMANDS.map((command) => command.split(' ')[0]);
    const onlyInRepairs = called.filter((name) => OF_AUDITS.includes(String(name).toLowerCase()));
    expect(new Set([...known, ...onlyInRepairs])).toEqual(new Set(called));
  });

  it('are those in docs/secure.md', () => {
    const guide = readFileSync(new URL('../../../../../docs/secure.md', import.meta.url), 'utf8');
    expect(guide).toContain(`ACL SETUSER jobs on >change-me ${accessRules().join(' ')}\n`);
  });

  it('allow every verb of the store', async () => {
    const giveUp = new AbortController();
    for (const options of [{ url: as('jobs') }, { url: `${as('spread')}/2`, prefix: 'spread', partitions: 3 }]) {
      const store = new RedisJobStore({ ...options, now: undefined });
      await store.open();
      const job = { ...aJob(), idempotency: { key: randomUUID(), retentionMs: 1_000 } };
      const slots = new Map([['Work', 1]]);
      const claim = () => store.claim({ worker: 'w', leaseMs: 1, limit: 1, slots });
      const told: string[] = [];
      await store.subscribe({ job: job.id }, ({ status }) => told.push(String(status)));
      await store.subscribe({ worker: 'w' }, () => told.push('revoked'));
      const waiting = store.waitForWork(['Work', 'Other'], giveUp.signal);
      await store.submit([job, aJob({ delayMs: 60_000 })], { queueLimit: 10 });
      await waiting;
      const [{ fence } = {} as never] = await claim();
      await store.renew([{ id: job.id, fence, leaseMs: 1, progress: { fraction: 0.5, message: null } }]);
      await eventually(async () => (await store.recover({ limit: 10, maxCrashes: 3 })).length === 1, 3_000);
      const [again] = await claim();
      await store.settle([{ verb: 'complete', id: job.id, name: 'Work', fence: again?.fence ?? 0, result: '1' }]);
      await eventually(() => told.includes('Completed') && told.includes('revoked'));
      const other = aJob();
      await store.submit([other], { queueLimit: 10 });
      expect((await store.cancel([other.id]))[0]?.status).toBe('Canceled');
      expect((await store.rerun([other.id]))[0]?.status).toBe('Queued');
      await store.purge(10);
      await store.list({ name: 'Work' }, { limit: 10 });
      expect((await store.stats()).length).toBeGreaterThan(0);
      await store.ping();
      await store.close();
    }
  });

  it('allow the audit and its repair only with the option audit', async () => {
    const [auditor, other] = [new RedisJobStore({ url: as('auditor') }), new RedisJobStore({ url: as('jobs') })];
    await Promise.all([auditor.open(), other.open()]);
    expect(await auditor.audit()).toEqual([]);
    const job = aJob();
    await auditor.submit([job], { queueLimit: 10 });
    await admin.zadd(new RedisKeys('ae', 0).finished, 1, job.id);
    expect(await auditor.audit()).toHaveLength(1);
    await auditor.audit({ repair: true });
    expect(await auditor.audit()).toEqual([]);
    await expect(other.audit()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await Promise.all([auditor.close(), other.close()]);
  });

  it('refuse every other command of the server, also on keys and channels of the store', async () => {
    const allowed = new Set(accessRules().flatMap((rule) => (rule.startsWith('+') ? rule.slice(1) : [])));
    const permitted: string[] = [];
    const commands = ((await admin.command('INFO')) as CommandInfo[]).flatMap((one) =>
      one[9]?.length ? one[9] : [one],
    );
    expect(commands.length).toBeGreaterThan(200);
    for (const [name, arity, flags] of commands) {
      // Whoever logs in may do so whatever the rules say.
      if (allowed.has(name) || flags.includes('no_auth')) continue;
      const words = [...name.split('|'), ...Array<string>(20).fill('{ae:0}:x')];
      const asked = words.slice(0, Math.max(Math.abs(arity), name.split('|').length));
      const reply = await admin.call('ACL', 'DRYRUN', 'jobs', ...asked).catch(String);
      if (!/has no permissions to run the/.test(String(reply))) permitted.push(`${name}: ${String(reply)}`);
    }
    expect(permitted).toEqual([]);
  });

  it.each(SCRIPT_COMMANDS.filter((command) => command.includes('$')))(
    'refuse keys of other applications: %s',
    async (command) => {
      for (const key of ['foreign', '{ae:0}', '{ae:1}:jobs', 'x{ae:0}:jobs', 'ae:0:jobs']) {
        const asked = command.split(' ').map((word) => (word === '$' ? key : word));
        expect(await admin.call('ACL', 'DRYRUN', 'jobs', ...asked)).toMatch(
          /has no permissions to access the '.*' key/,
        );
      }
    },
  );

  it('refuse other databases', async () => {
    const refused = (user: string, database: string) =>
      expect(admin.call('ACL', 'DRYRUN', user, 'SELECT', database)).resolves.toMatch(/has no permissions to run the/);
    await Promise.all([refused('jobs', '0'), refused('jobs', '1'), refused('spread', '0'), refused('spread', '20')]);
    expect(await admin.call('ACL', 'DRYRUN', 'spread', 'SELECT', '2')).toBe('OK');
  });

  it.each([
    ['FUNCTION', 'FLUSH'],
    ['FUNCTION', 'LOAD', 'x'],
    ['SCRIPT', 'LOAD', 'return 1'],
    ['PUBSUB', 'CHANNELS'],
    ['CLIENT', 'SETNAME', 'x'],
    ['SELECT', '1'],
    ['EVAL', 'return redis.call("SCAN", "0")', '0'],
    ['EVAL', 'return redis.call("PUBLISH", "other", "x")', '0'],
    ['EVAL', 'return redis.call("SELECT", "1")', '0'],
    ['PUBLISH', 'ae:revocations', 'x'],
    ['PUBLISH', 'other', 'x'],
    ['SCRIPT', 'FLUSH'],
    ['SCRIPT', 'KILL'],
    ['SCAN', '0'],
    ['KEYS', '*'],
    ['FLUSHALL'],
    ['FLUSHDB'],
    ['CONFIG', 'SET', 'maxmemory', '1'],
    ['CONFIG', 'GET', '*'],
    ['ACL', 'LIST'],
    ['CLIENT', 'KILL', 'TYPE', 'normal'],
    ['CLIENT', 'LIST'],
    ['MONITOR'],
    ['SHUTDOWN', 'NOSAVE'],
    ['REPLICAOF', 'NO', 'ONE'],
    ['GET', 'foreign'],
    ['SET', '{ae:0', '1'],
    ['DEL', 'foreign'],
    ['HSET', '{ae:1}:jobs', 'a', '1'],
    ['EVAL', 'return redis.call("GET", "foreign")', '0'],
    ['EVAL', 'return redis.call("FLUSHALL")', '0'],
    ['PUBLISH', 'ae:1:changes', 'x'],
    ['SUBSCRIBE', 'other'],
    ['PSUBSCRIBE', '*'],
  ])('refuse %s %s %s', async (...command) => {
    const client = new Redis(as('jobs'), { retryStrategy: () => null });
    await expect(client.call(...(command as [string, ...string[]]))).rejects.toThrow(/NOPERM|can't|No permissions|ACL/);
    client.disconnect();
  });
});

describe('RedisJobStore reports at boot', () => {
  let server: RedisServer;
  let admin: Redis;

  beforeAll(async () => {
    server = await startRedisServer();
    admin = new Redis(server.url);
  });

  afterAll(async () => {
    admin.disconnect();
    await server.stop();
  });

  /** What stops a boot that fails fast; a degraded one says the same and goes on. */
  const refusal = async (url: string): Promise<string> => {
    const degraded = new RedisJobStore({ url, connect: 'degraded', commandTimeoutMs: 2_000 });
    const heard: string[] = [];
    const hear = (notice: unknown) => void heard.push((notice as StoreNotice).message);
    STORE_NOTICE.subscribe(hear);
    await degraded.open();
    STORE_NOTICE.unsubscribe(hear);
    await degraded.close();
    const store = new RedisJobStore({ url, commandTimeoutMs: 2_000 });
    const { message } = (await store.open().catch((error: unknown) => error)) as Error;
    expect(heard[0]).toBe(`${message}; retrying`);
    return message;
  };

  it.each([
    ['time', 'TIME'],
    ['pubsub', 'PUBSUB'],
    ['eval', 'EVAL'],
    ['evalsha', 'EVALSHA'],
    ['zadd', 'ZADD'],
    ['bzpopmin', 'BZPOPMIN'],
    ['subscribe', 'SUBSCRIBE'],
  ])('that a user may not %s', async (denied, named) => {
    await admin.call('ACL', 'SETUSER', denied, 'reset', 'on', '>secret', '~*', '&*', '+@all', `-${denied}`);
    const message = await refusal(`redis://${denied}:secret@127.0.0.1:${server.port}`);
    expect(message).toContain(`Redis cannot be used: It refuses ${named} (`);
  });

  it('that a user lacks the rights to keys or channels', async () => {
    await admin.call('ACL', 'SETUSER', 'keyless', 'on', '>secret', '~other:*', '&*', '+@all');
    await admin.call('ACL', 'SETUSER', 'mute', 'on', '>secret', '~*', 'resetchannels', '+@all');
    expect(await refusal(`redis://keyless:secret@127.0.0.1:${server.port}`)).toMatch(/It refuses .*HSET/);
    expect(await refusal(`redis://mute:secret@127.0.0.1:${server.port}`)).toMatch(/SUBSCRIBE \(.*PUBLISH \(/);
  });

  it.each(['TIME', 'PUBSUB', 'EVAL'])('that the server has renamed %s', async (name) => {
    const renamed = await startRedisServer(['--rename-command', name, '']);
    try {
      expect(await refusal(renamed.url)).toContain(name);
    } finally {
      await renamed.stop();
    }
  });

  it('that the server is a replica, or has reached maxclients', async () => {
    const replica = await startRedisServer(['--replicaof', '127.0.0.1', String(server.port)]);
    const full = await startRedisServer(['--maxclients', '1']);
    const only = new Redis(full.url);
    await only.ping();
    try {
      expect(await refusal(replica.url)).toContain('It is a read-only replica; connect to its master');
      const store = new RedisJobStore({ url: full.url, redis: { retryStrategy: () => null } });
      await expect(store.open()).rejects.toThrow(/max number of clients|maxclients/);
    } finally {
      only.disconnect();
      await Promise.all([replica.stop(), full.stop()]);
    }
  });
});

describe('RedisJobStore, in operation', () => {
  it('reports that Redis accepts no new connections, and continues when it does', async () => {
    const server = await startRedisServer();
    const admin = new Redis(server.url);
    const heard: string[] = [];
    const hear = (notice: unknown) => void heard.push((notice as StoreNotice).message);
    STORE_NOTICE.subscribe(hear);
    const store = new RedisJobStore({ url: server.url, redis: { retryStrategy: () => 5 } });
    await store.open();
    try {
      await admin.config('SET', 'maxclients', '1');
      await admin.call('CLIENT', 'KILL', 'SKIPME', 'yes');
      await vi.waitFor(() =>
        expect(store.ping()).rejects.toMatchObject({
          code: 'STORE_UNAVAILABLE',
          message: 'The job store accepts no new connections.',
        }),
      );
      expect(heard).toContainEqual(expect.stringContaining('Redis accepts no new connections, until this is mended'));
      await admin.config('SET', 'maxclients', '100');
      await vi.waitFor(() => store.ping());
    } finally {
      STORE_NOTICE.unsubscribe(hear);
      await store.close();
      admin.disconnect();
      await server.stop();
    }
  });
});
