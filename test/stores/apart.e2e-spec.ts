import type { Slept } from '@app/demo';
import { eventually } from 'nestjs-async-endpoints/testing';
import { AppProcess } from '../app-process.js';
import { figure, KINDS, System } from './system.js';

const REFUSED = 'connect ECONNREFUSED 127.0.0.1:1';
const UNREACHABLE = {
  Redis: { env: { REDIS_URL: 'redis://:geheim@127.0.0.1:1' }, line: `Redis cannot be used: ${REFUSED}` },
  PostgreSQL: {
    env: { POSTGRES_URL: 'postgres://ann:geheim@127.0.0.1:1/jobs' },
    line: `PostgreSQL cannot be used: ${REFUSED}`,
  },
  SQLite: {
    env: { SQLITE_PATH: '/nowhere/jobs.db' },
    line: 'The database /nowhere/jobs.db cannot be opened or made: look at its folder and its rights.',
  },
};
const EXPECTED = 'redis://127.0.0.1:6379, redis+cluster://host:6379,host:6379 or redis+sentinel://host:26379/name';
const UNCONFIGURED = {
  Redis: { missing: { REDIS_URL: '' }, line: `REDIS_URL (redis.url) is missing; expected something like ${EXPECTED}` },
  PostgreSQL: {
    missing: { ASYNC_STORE: 'postgres' },
    line: 'POSTGRES_URL (postgres.url) is missing; expected something like postgres://user@host:5432/database',
  },
  SQLite: {
    missing: { ASYNC_STORE: 'sqlite' },
    line: 'SQLITE_PATH (sqlite.path) is missing; expected a text of 1 to 4096 characters',
  },
};

describe.each(KINDS)('APIs and workers in separate processes, on %s', (kind) => {
  let system: System;

  beforeAll(async () => {
    system = await System.start(kind);
  });

  afterEach(() => system.reset());

  afterAll(() => system.stop());

  it('share jobs: one API accepts them, a worker runs them, another API shows and cancels them', async () => {
    const [first, second, worker] = await Promise.all([system.api(), system.api(), system.worker()]);
    const short = await first.client.submit('/api/demo/sleep', { durationMs: 10 });
    expect(await second.client.finished<Slept>(short)).toMatchObject({
      status: 'Completed',
      result: { durationMs: 10 },
    });
    expect([first, second, worker].map(({ output }) => output.includes('slept 10 ms'))).toEqual([false, false, true]);

    const long = await first.client.submit('/api/demo/sleep', { durationMs: 600_000 });
    await second.client.running(long);
    expect(await worker.running()).toBe(1);
    const canceledAt = performance.now();
    expect((await second.client.delete(long)).body).toMatchObject({ status: 'Canceled' });
    await eventually(async () => (await worker.running()) === 0);
    const tookMs = Math.round(performance.now() - canceledAt);
    figure(`${kind}: cancel, from the request to an API to the end of the run on a worker: ${tookMs} ms`);
    expect((await first.client.get(long)).body).toMatchObject({ status: 'Canceled' });
  });

  it('a worker serves only its health over HTTP', async () => {
    const { client } = await system.worker();
    for (const path of ['/health', '/health/live', '/health/ready']) {
      expect(await client.get(path)).toMatchObject({ status: 200, body: { status: 'ok' } });
    }
    expect(await client.postJson('/api/process-data', { data: 'text' })).toMatchObject({ status: 404 });
    expect(await client.get('/jobs/5b7e0e4a-8f8b-4c8a-9f1f-8d8f8e8f8e8f')).toMatchObject({ status: 404 });
  });

  it('one process does both', async () => {
    const { client } = await system.run('api', { ASYNC_STORE: system.backend.store[0] });
    const location = await client.submit('/api/process-data', { data: 'text' });
    expect(await client.finished(location)).toMatchObject({ status: 'Completed' });
    expect(await system.job(location.slice('/jobs/'.length))).toMatchObject({ status: 'Completed' });
  });

  it('a worker never claims a job that it has no handler for', async () => {
    const worker = await system.worker();
    const [unknown] = await system.submit('Probe', {});
    // It goes on with what it knows, and so had its chance.
    await system.until(await system.submit('ProcessData', { data: 'text' }, 50), 'Completed');
    expect(await system.job(unknown)).toMatchObject({ status: 'Queued', fence: 0 });

    await worker.kill();
    const [unknownToProbe] = await system.submit('ProcessData', { data: 'text' });
    await system.run('probe');
    const [known] = await system.until([unknown], 'Completed');
    expect(known).toMatchObject({ result: '{"fence":1}' });
    await system.until(await system.submit('Probe', {}, 50), 'Completed');
    expect(await system.job(unknownToProbe)).toMatchObject({ status: 'Queued', fence: 0 });
  });

  it('report in the last line that the store is unreachable and why, without its password, and exit with 1', async () => {
    const { env, line } = UNREACHABLE[kind];
    const lost = new AppProcess('worker', { ...env, LOG_FORMAT: 'text' });
    expect(await lost.exitCode()).toBe(1);
    expect(lost.output.trimEnd().split('\n').at(-1)).toBe(line);
    expect(lost.output).not.toMatch(/geheim|retrying/);
  });

  it('report in one line that the address of the store is missing', async () => {
    const { missing, line } = UNCONFIGURED[kind];
    const unconfigured = new AppProcess('worker', { ...missing, LOG_FORMAT: 'text' });
    expect(await unconfigured.exitCode()).toBe(1);
    expect(unconfigured.output).toBe(`The configuration is wrong: ${line}\n`);
  });
});
