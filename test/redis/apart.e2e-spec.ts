import type { Slept } from '@app/demo';
import { eventually } from 'nestjs-async-endpoints/testing';
import { AppProcess } from '../app-process.js';
import { figure, System } from './system.js';

describe('APIs and workers in separate processes', () => {
  let system: System;

  beforeAll(async () => {
    system = await System.start();
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
    figure(`cancel, from the request to an API to the end of the run on a worker: ${tookMs} ms`);
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

  it('one process does both on Redis', async () => {
    const { client } = await system.run('api', { ASYNC_STORE: 'redis' });
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

  it('report in one line that Redis is unreachable, and exit with 1', async () => {
    const lost = new AppProcess('worker', { REDIS_URL: 'redis://127.0.0.1:1', LOG_FORMAT: 'text' });
    expect(await lost.exitCode()).toBe(1);
    expect(lost.output.trimEnd().split('\n').at(-1)).toMatch(/^Redis cannot be used: /);
    const unconfigured = new AppProcess('worker', { REDIS_URL: '', LOG_FORMAT: 'text' });
    expect(await unconfigured.exitCode()).toBe(1);
    expect(unconfigured.output).toBe(
      'The configuration is wrong: REDIS_URL (redis.url) is missing; expected something like redis://127.0.0.1:6379, redis+cluster://host:6379,host:6379 or redis+sentinel://host:26379/name\n',
    );
  });
});
