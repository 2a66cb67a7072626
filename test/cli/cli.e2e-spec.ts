import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RedisServer, startRedisServer } from '@app/redis-server';
import { RedisJobStore } from 'nestjs-async-endpoints/redis';
import { aJob } from 'nestjs-async-endpoints/testing';
import { Redis } from 'ioredis';
import { temporaryFolder } from '../temporary-folder.js';
import { atTerminal, hasTerminals, type Tool, toolWith } from './tool.js';

const UNKNOWN = 'd0a7d9f6-5a3f-4c57-9a31-7a2b6d2c1f00';

describe('npx async-endpoints', () => {
  let redis: RedisServer;
  let raw: Redis;
  let store: RedisJobStore;
  let tool: Tool;
  let env: Record<string, string>;

  beforeAll(async () => {
    redis = await startRedisServer(['--appendonly', 'yes']);
    raw = new Redis(redis.url);
    store = new RedisJobStore({ url: redis.url });
    await store.open();
    env = { REDIS_URL: redis.url };
    tool = toolWith(env);
  });
  beforeEach(() => raw.flushall());
  afterAll(async () => {
    await store.close();
    raw.disconnect();
    await redis.stop();
  });

  async function submit(count: number): Promise<void> {
    const jobs = Array.from({ length: count }, () => aJob());
    await store.submit(jobs, { queueLimit: 100_000 });
  }

  it.each([
    [['stats', '--frobnicate'], /^async-endpoints: unknown option '--frobnicate'\n$/],
    [['stast'], /^async-endpoints: unknown command 'stast' \(Did you mean stats\?\)\n$/],
    [['show'], /^async-endpoints: missing required argument 'id'\n$/],
    [['show', 'x'], /^async-endpoints: "x" is not a job id; expected a UUID\.\n$/],
    [
      ['stuck', '--running-for', '2x'],
      /argument '2x' is invalid\. Expected something like 2h, 90s or 1d12h, at most 3650d\.\n$/,
    ],
    [['list', '--status', 'Done'], /^async-endpoints: option '--status <status>' argument 'Done' is invalid\./],
    [['list', '--limit', '0'], /argument '0' is invalid\. Expected a number from 1\.\n$/],
    [['cancel'], /^async-endpoints: No jobs are selected: give ids, or .*\n$/],
    [['rerun', UNKNOWN, '--all'], /^async-endpoints: No jobs are selected: give ids, or .*\n$/],
    [['stats', '--partitions', 'many'], /redis\.partitions in the command line is "many"; expected an integer/],
    [
      ['stats', '--redis-url', 'http://:geheim@x'],
      /redis\.url in the command line is invalid \(a secret is not shown\)/,
    ],
    [
      ['stats', '--store', 'mysql://ann:geheim@x'],
      /^async-endpoints: --store is mysql:…; expected redis:\/\/, .* or sqlite: with a file\.\n$/,
    ],
    [['stats', '--store', 'geheim'], /^async-endpoints: --store is no URL; expected redis:\/\/, /],
    [['stats', '--store', 'redis://:ge#heim@x'], /redis\.url in the command line is invalid \(a secret is not shown\)/],
    [
      ['stats', '--store', 'postgres://ann:geheim@x/a b'],
      /postgres\.url in the command line is invalid \(a secret is not shown\)/,
    ],
    [
      ['stats', '--store', 'sqlite:'],
      /sqlite\.path in the command line is ""; expected a text of 1 to 4096 characters/,
    ],
    [['stats', '--store', 'sqlite:jobs.db', '--redis-url', 'redis://x'], /Give --store or --redis-url, not both\.\n$/],
    [['stats', '--store', 'sqlite:jobs.db', '--prefix', 'x'], /--prefix and --partitions are options of Redis\.\n$/],
  ])('exits with 2 and one line for wrong usage: %j', async (args, stderr) => {
    const outcome = await tool(...args);
    expect(outcome).toMatchObject({ code: 2, stdout: '' });
    expect(outcome.stderr).toMatch(stderr);
    expect(outcome.stderr.trim().split('\n')).toHaveLength(1);
    expect(outcome.stderr).not.toContain('heim');
  });

  it('names the missing setting when no store is configured', async () => {
    const nowhere = await toolWith({})('stats');
    expect(nowhere.code).toBe(2);
    expect(nowhere.stderr).toContain('REDIS_URL (redis.url) is missing; expected something like redis://');
  });

  it('connects with the configuration of the application: file, .env, environment, password file', async () => {
    const folder = temporaryFolder();
    const shop = new RedisJobStore({ url: redis.url, prefix: 'shop', partitions: 4 });
    await shop.open();
    onTestFinished(() => shop.close());
    await shop.submit([aJob({ id: randomUUID() }), aJob({ id: randomUUID() })], { queueLimit: 10 });
    await raw.call('acl', 'setuser', 'operator', 'on', '>geheim', '~*', '&*', '+@all');
    await writeFile(join(folder, 'app.json'), JSON.stringify({ asyncEndpoints: { redis: { partitions: 4 } } }));
    await writeFile(join(folder, 'password'), 'geheim\n');
    await writeFile(join(folder, '.env'), 'ASYNC_REDIS_PREFIX=shop\nASYNC_OF_THE_APPLICATION=1\n');
    const variables = {
      ...env,
      ASYNC_CONFIG_FILE: 'app.json',
      ASYNC_REDIS_USERNAME: 'operator',
      ASYNC_REDIS_PASSWORD_FILE: 'password',
      ASYNC_LOG_LEVEL: 'info',
    };
    const { stdout, stderr } = await toolWith(variables, folder)('list', '--json');
    expect([stderr, JSON.parse(stdout)]).toEqual(['', [expect.anything(), expect.anything()]]);
    expect((await tool('list', '--json', '--prefix', 'shop', '--partitions', '4')).stdout.match(/"id"/g)).toHaveLength(
      2,
    );
    await writeFile(join(folder, 'password'), 'falsch');
    const refused = await toolWith(variables, folder)('list');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^async-endpoints: Redis cannot be used: WRONGPASS [^\n]*\n$/);
    expect(refused.stderr).not.toContain('falsch');
  });

  it('warns about a Redis that may lose jobs', async () => {
    await raw.config('SET', 'maxmemory', '100mb', 'maxmemory-policy', 'allkeys-lru');
    onTestFinished(() => void raw.config('SET', 'maxmemory', '0', 'maxmemory-policy', 'noeviction'));
    expect((await tool('stats')).stderr).toMatch(/^async-endpoints: warning: Redis may evict jobs .*\n$/);
  });

  it('asks for confirmation at a terminal, where only yes confirms, and shows progress', async (test) => {
    if (!(await hasTerminals())) test.skip('there is no script command here');
    await submit(1_001);
    const question = /This will cancel 1001 jobs\. \[y\/N\] /;
    for (const text of ['n\n', '\n', '\u0004']) {
      const no = await atTerminal(env, ['cancel', '--all'], { after: question, text });
      expect([no.code, no.shown]).toEqual([1, expect.stringContaining('nothing was changed')]);
    }
    expect(await store.stats()).toMatchObject([{ status: 'Queued', count: 1_001 }]);
    const yes = await atTerminal(env, ['cancel', '--all'], { after: question, text: 'y\n' });
    expect([yes.code, yes.shown]).toEqual([0, expect.stringContaining('1001 jobs canceled.')]);
    expect(yes.shown).toContain('[###############...............] 49% 500/1001 jobs');
  });
});
