import { HealthModule } from '@app/demo';
import { MemoryJobStore } from 'nestjs-async-endpoints';
import { JobStoreHealthIndicator } from 'nestjs-async-endpoints/health';
import { aJob, eventually, unreliable } from 'nestjs-async-endpoints/testing';
import { AppProcess } from '../app-process.js';
import { ACCEPTING } from '../http/reports.js';
import { startApp } from '../http/start-app.js';
import { System } from '../redis/system.js';

describe('Health of API and worker, apart on one Redis (S-78 to S-82)', () => {
  let system: System;

  beforeAll(async () => {
    system = await System.start();
  });

  afterAll(async () => {
    await system.reset();
    await system.stop();
  });

  it('has the same routes and checks in both, Redis and memory among them', async () => {
    for (const { client } of await Promise.all([system.api(), system.worker()])) {
      const [all, live, ready] = await Promise.all(
        ['/health', '/health/live', '/health/ready'].map((p) => client.get(p)),
      );
      const message = 'AsyncEndpoints job store is accessible';
      const up = { status: 'up' };
      expect(all).toMatchObject({
        status: 200,
        body: { details: { asyncendpoints: { ...up, message }, redis: up, worker: up, memory: up } },
      });
      expect(live).toMatchObject({ status: 200, body: { details: { worker: up } } });
      expect(ready).toMatchObject({ status: 200, body: { details: { asyncendpoints: up } } });
    }
  });
});

describe('Readiness', () => {
  it('turns the moment SIGTERM arrives, while the hooks of other modules still wait; liveness does not', async () => {
    const app = await new AppProcess('slow', {}).listening();
    onTestFinished(() => app.kill());
    expect((await app.client.get('/health/ready')).status).toBe(200);
    app.signal('SIGTERM');
    await eventually(() => app.count('a hook of another module waits') === 1);
    expect(await app.client.get('/health/ready')).toMatchObject({
      status: 503,
      body: { details: { asyncendpoints: { message: 'The application is shutting down' } } },
    });
    expect((await app.client.get('/health/live')).status).toBe(200);
  });

  it('is gone while the queue is full', async () => {
    const store = new MemoryJobStore();
    const app = await startApp('Fastify', {
      ...ACCEPTING,
      imports: [HealthModule],
      options: { role: 'api', store, jobs: { maximumQueueSize: 1 } },
    });
    expect((await app.get('/health/ready')).status).toBe(200);
    await store.submit([aJob({ name: 'Report' })], { queueLimit: 1 });
    const full = await app.get('/health/ready');
    expect([full.status, full.text.includes('The queue is full')]).toEqual([503, true]);
    expect((await app.get('/health/live')).status).toBe(200);
    expect(JSON.parse((await app.get('/health')).text)).toMatchObject({
      details: { asyncendpoints: { status: 'up' } },
    });
  });

  it('is gone while the store is, or does not answer in time; liveness stays (S-60)', async () => {
    const { store, fail, hang, mend } = unreliable(new MemoryJobStore());
    const app = await startApp('Fastify', { ...ACCEPTING, imports: [HealthModule], options: { role: 'api', store } });
    fail();
    const statuses = async () =>
      Promise.all(['', '/live', '/ready'].map(async (path) => (await app.get(`/health${path}`)).status));
    expect(await statuses()).toEqual([503, 200, 503]);
    expect(app.log.text).toContain('AsyncEndpoints health check failed');
    mend();
    hang();
    const late = await app.nest
      .get(JobStoreHealthIndicator, { strict: false })
      .isReady('asyncendpoints', { timeoutMs: 20 });
    expect(late).toMatchObject({
      asyncendpoints: { status: 'down', message: 'AsyncEndpoints job store is not accessible' },
    });
    mend();
    expect((await statuses()).slice(1)).toEqual([200, 200]); // this process runs vitest too: its memory may be anything
  });
});
