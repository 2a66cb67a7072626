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
  return { jobs: app.get(JobManager), config: app.get(ConfigService), handler: app.get(ScriptedHandler) };
}

describe('The presets of docs/configuration.md', () => {
  let redis: RedisServer;

  beforeAll(async () => {
    redis = await startRedisServer();
  });

  beforeEach(() => vi.stubEnv('REDIS_URL', redis.url));
  afterEach(() => vi.unstubAllEnvs());
  afterAll(() => redis.stop());

  it('single instance: runs jobs, and says through ConfigService how (S-3 to S-11)', async () => {
    const { jobs, config } = await start(singleInstance());
    expect(config.get('asyncEndpoints')).toMatchObject({
      store: 'redis',
      redis: { url: redis.url },
      worker: { maximumConcurrency: Math.min(availableParallelism(), 20), pollingIntervalMs: 2_000 },
      jobs: { maximumQueueSize: 500, timeoutMs: 3_600_000, defaultMaxRetries: 3, retryDelayBaseSeconds: 2 },
    });
    const { id } = await jobs.submit(Scripted, { do: 'return', value: 'done' });
    expect(await jobs.waitFor(id)).toMatchObject({ status: 'Completed', result: 'done', maxRetries: 3 });
  });

  it('multi instance: instances share jobs and the size of the queue (S-15 to S-26, D-18)', async () => {
    vi.stubEnv('ASYNC_QUEUE_SIZE', '1');
    vi.stubEnv('ASYNC_WORKER_CONCURRENCY', '1');
    const [first, second] = [await start(multiInstance()), await start(multiInstance())];
    expect(first.config.get('asyncEndpoints')).toMatchObject({
      worker: { maximumConcurrency: 1, pollingIntervalMs: 3_000 },
      jobs: { maximumQueueSize: 1, timeoutMs: 3_600_000, defaultMaxRetries: 5 },
      recovery: { enabled: true, sweepIntervalMs: 60_000, maxCrashes: 4 },
    });
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
