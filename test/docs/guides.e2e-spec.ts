import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type RedisCluster, startRedisCluster, startRedisServer } from '@app/redis-server';
import { Redis } from 'ioredis';
import { JobManager } from 'nestjs-async-endpoints';
import { RedisJobStore } from 'nestjs-async-endpoints/redis';
import { Scripted } from 'nestjs-async-endpoints/testing';
import { ACCEPTING } from '../http/reports.js';
import { startApp } from '../http/start-app.js';
import { startWorker } from '../worker/start-worker.js';
import { clusterStore } from './cluster-store.js';
import { http, SignedIn } from './signed-in.js';
import { Transcode } from './transcode.js';

const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8');
const guide = (name: string) => read(`../../docs/${name}.md`);

it.each([
  ['scale', 'transcode.ts'],
  ['scale', 'cluster-store.ts'],
  ['secure', 'signed-in.ts'],
  ['nest', 'envelope.ts'],
])('docs/%s.md shows the exact code of %s, which this test runs', async (name, file) => {
  expect(await guide(name)).toContain('```ts\n' + (await read(file)) + '```\n');
});

it.each(['scale', 'secure', 'roll'])('docs/%s.md names only existing options and variables', async (name) => {
  const [text, configuration] = await Promise.all([guide(name), guide('configuration')]);
  const named = text.match(/\bASYNC_\w+|`(?:worker|jobs|http|recovery|redis)\.\w+`/g) ?? [];
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((option) => !configuration.includes(option.replace(/`$/, '')))).toEqual([]);
});

describe('docs/scale.md', () => {
  let cluster: RedisCluster;

  beforeAll(async () => {
    cluster = await startRedisCluster();
  });

  afterAll(() => cluster.stop());

  it('jobs are spread over a Redis Cluster, and one job name has limits of its own', async () => {
    const store = clusterStore([...cluster.nodes]);
    const { jobs, submit, reached } = await startWorker({ store });
    const ids = await Promise.all(Array.from({ length: 40 }, () => submit({ do: 'return' })));
    await Promise.all(ids.map((id) => reached(id, 'Completed')));
    const held = await Promise.all(cluster.nodes.map(async ({ port }) => (await keysOf(port)).length));
    expect(held.filter((count) => count > 0).length).toBeGreaterThan(1);
    expect(await store.audit()).toEqual([]);
    expect(Transcode.options).toMatchObject({ concurrency: 2, maxQueueSize: 50 });
    const submissions = Array.from({ length: 2_000 }, () => ({ request: { file: 'a' } }));
    await expect(Promise.all(submissions.map(({ request }) => jobs.submit(Transcode, request)))).rejects.toMatchObject({
      code: 'QUEUE_FULL',
    });
  });
});

async function keysOf(port: number): Promise<string[]> {
  const { stdout } = await promisify(execFile)('redis-cli', ['-p', String(port), 'keys', '*']);
  return stdout.split('\n').filter(Boolean);
}

describe('docs/secure.md', () => {
  it('a job of another owner is not found, and requests without a token are refused', async () => {
    const app = await startApp('Fastify', { ...ACCEPTING, providers: [SignedIn], options: { role: 'api', http } });
    const as = (user: string) => ({ Authorization: `Bearer token-of-${user}` });
    const { job } = await app.post('/reports', { title: 'Bees' }, as('ann'));
    const answers = [
      await app.get(job.links.self, as('ann')),
      await app.get(job.links.self, as('ben')),
      await app.get(job.links.self),
    ];
    expect(answers.map(({ status }) => status)).toEqual([202, 404, 401]);
    expect(JSON.stringify(await app.all())).not.toContain('token-of');
  });

  it('its ACL user has exactly the permissions that the store needs', async () => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.stop());
    const rule = /^ACL SETUSER .*$/m.exec(await guide('secure'))?.[0] as string;
    const admin = new Redis(redis.url);
    await admin.call('ACL', ...rule.split(' ').slice(1));
    admin.disconnect();
    const url = `redis://jobs:change-me@127.0.0.1:${redis.port}`;
    const store = new RedisJobStore({ url });
    const { app, jobs, submit, reached } = await startWorker({ store, jobs: { defaultMaxRetries: 0 } });
    await reached(await submit({ do: 'return' }), 'Completed');
    const failed = await submit({ do: 'throw', message: 'no' });
    await reached(failed, 'Failed');
    await jobs.rerun(failed);
    const { id } = await app.get(JobManager).submit(Scripted, { do: 'return' }, { delayMs: 60_000 });
    await jobs.cancel(id);
    expect((await jobs.list({})).jobs.length).toBe(3);

    const user = new Redis(url);
    onTestFinished(() => user.disconnect());
    for (const command of [
      ['flushall'],
      ['config', 'get', '*'],
      ['keys', '*'],
      ['scan', '0'],
      ['get', 'others'],
      ['acl', 'list'],
    ]) {
      await expect(user.call(...(command as [string]))).rejects.toThrow('NOPERM');
    }
  });
});
