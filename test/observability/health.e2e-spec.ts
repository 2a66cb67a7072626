import { HealthModule } from '@app/demo';
import { AsyncEndpointsError, MemoryJobStore } from 'nestjs-async-endpoints';
import { JobStoreHealthIndicator } from 'nestjs-async-endpoints/health';
import { aJob, eventually, unreliable } from 'nestjs-async-endpoints/testing';
import { AppProcess } from '../app-process.js';
import { ACCEPTING, HeldReport, ReportsController } from '../http/reports.js';
import { startApp } from '../http/start-app.js';
import { System } from '../redis/system.js';

describe('Health of API and worker in two processes on one Redis', () => {
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
  it('fails as soon as SIGTERM arrives, before the hooks of other modules have run; liveness does not', async () => {
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

  it('fails while the process drains its jobs, and liveness does not', async () => {
    const held = new HeldReport();
    const app = await startApp('Fastify', {
      controllers: [ReportsController],
      providers: [held.Handler],
      imports: [HealthModule],
      options: { worker: { drainTimeoutMs: 20_000 } },
    });
    await app.post('/reports', { title: 'Bees' });
    await held.started.opened;
    const closed = app.close();
    await eventually(async () => (await app.get('/health/ready')).status === 503);
    // Terminus says by itself that the application is shutting down, in each phase of the shutdown from its own hook on.
    for (let asked = 0; asked < 5; asked++) expect((await app.get('/health/live')).status).toBe(200);
    held.finish.open({ text: '' });
    await closed;
  });

  it.each([
    ['jobs', { maxQueueSize: 1 }],
    ['bytes', { maxQueueBytes: 1 }],
  ])('stays up while the queue is full of %s, with details: status, result and cancel still work', async (_, jobs) => {
    const store = new MemoryJobStore();
    const app = await startApp('Fastify', {
      ...ACCEPTING,
      imports: [HealthModule],
      options: { role: 'api', store, jobs },
    });
    const details = async () => {
      const { status, text } = await app.get('/health/ready');
      return [status, (JSON.parse(text) as { details: { asyncendpoints: object } }).details.asyncendpoints];
    };
    expect(await details()).toMatchObject([200, { status: 'up', queueDepth: 0, queueFull: false }]);
    await store.submit([aJob({ name: 'Report' })], { queueLimit: 1 });
    expect(await details()).toMatchObject([200, { status: 'up', queueDepth: 1, queueFull: true }]);
    expect((await app.post('/reports', { title: 'Bees' })).status).toBe(503);
    await store.pause(['Report'], null);
    expect(await details()).toMatchObject([200, { paused: ['Report'] }]);
  });

  it('stays up while the store only refuses changes; health is down, and both name the reason', async () => {
    const { store, fail } = unreliable(new MemoryJobStore());
    const app = await startApp('Fastify', { ...ACCEPTING, imports: [HealthModule], options: { role: 'api', store } });
    fail({ verbs: ['submit', 'ping'], error: new AsyncEndpointsError('STORE_FULL') });
    const [ready, all] = [await app.get('/health/ready'), await app.get('/health')];
    expect([ready.status, all.status]).toEqual([200, 503]);
    const message = 'The job store is full.';
    expect(JSON.parse(ready.text)).toMatchObject({ details: { asyncendpoints: { status: 'up', message } } });
    expect(JSON.parse(all.text)).toMatchObject({ details: { asyncendpoints: { status: 'down', message } } });
  });

  it('fails while the store is unreachable or too slow; liveness does not', async () => {
    const { store, fail, hang, mend } = unreliable(new MemoryJobStore());
    const app = await startApp('Fastify', { ...ACCEPTING, imports: [HealthModule], options: { role: 'api', store } });
    fail();
    const statuses = async () =>
      Promise.all(['', '/live', '/ready'].map(async (path) => (await app.get(`/health${path}`)).status));
    expect(await statuses()).toEqual([503, 200, 503]);
    const failures = () => app.log.text.split('The health check of the job store failed').length - 1;
    expect(failures()).toBe(1); // of two checks
    mend();
    expect((await app.get('/health/ready')).status).toBe(200);
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

  it('waits 5 s for a store that does not reply', async () => {
    const { store, hang, mend } = unreliable(new MemoryJobStore());
    const app = await startApp('Fastify', { ...ACCEPTING, imports: [HealthModule], options: { role: 'api', store } });
    hang();
    const askedAt = performance.now();
    const answers = await Promise.all(['', '/ready'].map((path) => app.get(`/health${path}`)));
    const tookMs = performance.now() - askedAt;
    mend();
    expect(answers.map(({ status }) => status)).toEqual([503, 503]);
    for (const { text } of answers) expect(text).toContain('AsyncEndpoints job store is not accessible');
    expect(tookMs).toBeGreaterThan(4_990);
    expect(tookMs).toBeLessThan(10_000);
  });
});
