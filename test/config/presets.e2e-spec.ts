import { availableParallelism } from 'node:os';
import { type DynamicModule, Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import { type RedisServer, startRedisServer } from '@app/redis-server';
import { JobManager } from 'nestjs-async-endpoints';
import { eventually, Scripted, ScriptedHandler } from 'nestjs-async-endpoints/testing';
import { multiInstance } from './presets/multi-instance.js';
import { singleInstance } from './presets/single-instance.js';

/** An application context as an instance would have it, closed with the test. */
async function start(jobProcessing: DynamicModule) {
  @Module({ imports: [ConfigModule.forRoot({ ignoreEnvFile: true }), jobProcessing], providers: [ScriptedHandler] })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  onTestFinished(() => app.close());
  const options = app.get<object>(Symbol.for('nestjs-async-endpoints:options'), { strict: false });
  return { jobs: app.get(JobManager), config: app.get(ConfigService), handler: app.get(ScriptedHandler), options };
}

describe('The presets of docs/configuration.md', () => {
  let redis: RedisServer;

  beforeAll(async () => {
    redis = await startRedisServer();
  });

  beforeEach(() => vi.stubEnv('REDIS_URL', redis.url));
  afterEach(() => vi.unstubAllEnvs());
  afterAll(() => redis.stop());

  it('single instance: runs jobs, and ConfigService has the settings', async () => {
    const { jobs, config, options } = await start(singleInstance());
    expect(config.get('asyncEndpoints')).toMatchObject({
      store: 'redis',
      redis: { url: redis.url },
      worker: { maxConcurrency: Math.min(availableParallelism(), 20), pollingIntervalMs: 2_000 },
      jobs: { maxQueueSize: 500, timeoutMs: 3_600_000, defaultMaxRetries: 3, retryDelayBaseMs: 2_000 },
    });
    expect(options).toMatchObject({ recovery: { enabled: true } });
    const { id } = await jobs.submit(Scripted, { do: 'return', value: 'done' });
    expect(await jobs.waitFor(id)).toMatchObject({ status: 'Completed', result: 'done', maxRetries: 3 });
  });

  it('multi instance: ConfigService has the settings', async () => {
    const { config, options } = await start(multiInstance());
    expect(config.get('asyncEndpoints')).toMatchObject({
      store: 'redis',
      redis: { url: redis.url },
      worker: { maxConcurrency: Math.max(1, Math.floor(availableParallelism() / 2)), pollingIntervalMs: 3_000 },
      jobs: { maxQueueSize: 1_000, timeoutMs: 3_600_000, defaultMaxRetries: 5, retryDelayBaseMs: 2_000 },
      recovery: { enabled: true, sweepIntervalMs: 60_000, maxCrashes: 4 },
    });
    expect(options).toMatchObject({ jobs: { maxQueueSize: 1_000 }, recovery: { sweepIntervalMs: 60_000 } });
  });

  it('multi instance: instances share jobs and the queue limit', async () => {
    vi.stubEnv('ASYNC_QUEUE_SIZE', '1');
    vi.stubEnv('ASYNC_WORKER_CONCURRENCY', '1');
    const [first, second] = [await start(multiInstance()), await start(multiInstance())];
    const runs = () => [...first.handler.runs, ...second.handler.runs];
    for (const count of [1, 2]) {
      await first.jobs.submit(Scripted, { do: 'stay' });
      await eventually(() => runs().length === count);
    }
    expect([first.handler.runs.length, second.handler.runs.length]).toEqual([1, 1]);
    await second.jobs.submit(Scripted, { do: 'return' });
    await expect(first.jobs.submit(Scripted, { do: 'return' })).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    for (const { leave } of runs()) leave.open(null);
  });
});
