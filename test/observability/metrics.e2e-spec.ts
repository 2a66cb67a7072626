import { readFile } from 'node:fs/promises';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import {
  AsyncEndpointsError,
  defineJob,
  JOB_CHANNELS,
  JobWorker,
  MemoryJobStore,
  RUN_MIDDLEWARE,
  SUBMIT_MIDDLEWARE,
} from 'nestjs-async-endpoints';
import { AsyncEndpointsTelemetryModule, type Metric, METRICS } from 'nestjs-async-endpoints/telemetry';
import { aJob, eventually, Scripted, unreliable } from 'nestjs-async-endpoints/testing';
import { LogBook } from '../http/log-book.js';
import { ACCEPTING } from '../http/reports.js';
import { startApp } from '../http/start-app.js';
import { ObservedApp } from './observed-app.js';

const IMPATIENT = { leaseMs: 1_000, abortOnLeaseEnd: true, drainTimeoutMs: 0, abortGraceMs: 0, maxConcurrency: 4 };

const Limited = defineJob<object>('Limited', { maxQueueSize: 5, maxQueueBytes: 50_000, timeoutMs: 90_000 });

class MuteStore extends MemoryJobStore {
  resources() {
    return Promise.resolve({
      memory: { used: 60, limit: 100 },
      connections: { used: 6, limit: 10 },
      disk: { used: 600, limit: 1_000 },
      sizeBytes: 70,
      logBytes: 7,
      deadRows: 3,
      oldestTransactionMs: 1_500,
      isNotified: true,
    });
  }

  override ping(): Promise<void> {
    return Promise.reject(new AsyncEndpointsError('STORE_UNAVAILABLE'));
  }
}

async function everything(): Promise<ObservedApp> {
  const { store, hang, mend } = unreliable(new MuteStore());
  const observed = await ObservedApp.start({ store, worker: IMPATIENT, jobs: { retryDelayBaseMs: 0 } });
  const { jobs, handler } = observed;
  const ended = async (id: string) => (await jobs.waitFor(id)).status;

  const completed = await jobs.submit(Scripted, { do: 'return' });
  const retried = await jobs.submit(Scripted, { do: 'throw', message: 'no', code: 'UPSTREAM' });
  expect([await ended(completed.id), await ended(retried.id)]).toEqual(['Completed', 'Failed']);
  await jobs.rerun(retried.id);
  expect(await ended(retried.id)).toBe('Failed');
  await expect(jobs.submit(Scripted, { do: 'return' }, { id: 'none' })).rejects.toThrow('not a UUID');

  await jobs.cancel((await jobs.submit(Limited, {})).id);
  const canceled = await jobs.submit(Scripted, { do: 'stay', obedient: true });
  await eventually(() => handler.runs.some(({ context }) => context.id === canceled.id));
  await jobs.cancel(canceled.id);

  await store.submit([aJob({ name: 'Orphan' })], { queueLimit: 10 });
  await store.claim({ worker: 'vanished', leaseMs: 1, limit: 1, slots: new Map([['Orphan', 1]]) });
  await eventually(async () => (await jobs.recover()).length === 1 || (await orphansQueued(observed)));

  await expect(store.ping()).rejects.toThrow('cannot be reached');

  const lost = await jobs.submit(Scripted, { do: 'stay' });
  await eventually(() => handler.runs.some(({ context }) => context.id === lost.id));
  hang(['renew']);
  await eventually(async () => (await observed.values('asyncendpoints.claims.lost'))['Scripted'] === 1);
  mend();
  await jobs.cancel(lost.id);

  const released = await jobs.submit(Scripted, { do: 'stay' });
  await eventually(() => handler.runs.some(({ context }) => context.id === released.id));
  return observed;
}

async function orphansQueued({ jobs }: ObservedApp): Promise<boolean> {
  const { jobs: orphans } = await jobs.list({ name: 'Orphan', status: 'Queued' });
  return orphans.length === 1;
}

describe('Metrics', () => {
  it('are exactly those of the catalogue, with their units and descriptions', async () => {
    const observed = await everything();
    const before = await observed.metrics();
    await observed.app.close();
    const seen = new Map([...before, ...(await observed.metrics())].map((metric) => [metric.descriptor.name, metric]));

    expect([...seen.keys()].toSorted()).toEqual(Object.keys(METRICS).toSorted());
    for (const [name, { unit, description, attributes }] of Object.entries<Metric>(METRICS)) {
      const metric = seen.get(name);
      expect(metric?.descriptor).toMatchObject({ unit, description });
      for (const point of metric?.dataPoints ?? []) {
        expect([name, Object.keys(point.attributes).toSorted()]).toEqual([name, [...attributes].toSorted()]);
      }
    }
  });

  it('count each event once', async () => {
    const observed = await everything();
    const values = async (name: string) => {
      const all = await observed.values(`asyncendpoints.${name}`);
      return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== 0));
    };
    // 9 attempts: 1 completed, 2 × 4 failed; then those that were canceled, lost and are still at work.
    expect(await values('jobs.submitted')).toEqual({ Limited: 1, Scripted: 5 });
    expect(await values('jobs.claimed')).toEqual({ Scripted: 12 });
    expect(await values('jobs.completed')).toEqual({ Scripted: 1 });
    expect(await values('jobs.retried')).toEqual({ 'Scripted UPSTREAM': 6 });
    expect(await values('jobs.failed')).toEqual({ 'Scripted UPSTREAM': 2 });
    expect(await values('jobs.rerun')).toEqual({ Scripted: 1 });
    expect(await values('jobs.refused')).toEqual({ 'Scripted INVALID_JOB_ID': 1 });
    expect(await values('jobs.canceled')).toEqual({ Limited: 1, Scripted: 2 });
    expect(await values('jobs.recovered')).toEqual({ 'Orphan Queued': 1 });
    expect(await values('claims.lost')).toEqual({ Scripted: 1 });
    expect(await values('job.wait.duration')).toEqual({ Scripted: 12 });
    expect(await values('job.run.duration')).toEqual({
      'Scripted complete': 1,
      'Scripted retry': 6,
      'Scripted fail': 2,
      'Scripted cancel': 1,
      'Scripted lose': 1,
    });
    expect(await values('job.total.duration')).toEqual({
      'Limited Canceled': 1,
      'Scripted Completed': 1,
      'Scripted Failed': 2,
      'Scripted Canceled': 2,
    });
    expect(await values('store.errors')).toEqual({ 'ping STORE_UNAVAILABLE': 1 });
    expect((await values('store.call.duration'))['submit']).toBe(7);
    expect([await values('worker.slots.used'), await values('worker.slots.limit')]).toEqual([{ '': 1 }, { '': 4 }]);
    expect(await values('queue.limit')).toEqual({ Limited: 5 });
    expect(await values('queue.bytes.limit')).toEqual({ Limited: 50_000 });
    expect(await values('store.queue.bytes.limit')).toEqual({ '': 128 * 1024 * 1024 });
    expect(await values('store.queue.limit')).toEqual({ '': 100_000 });
    expect(await values('job.timeout')).toEqual({ Limited: 90, Scripted: 1800 });
    expect([await values('store.memory.used'), await values('store.memory.limit')]).toEqual([{ '': 60 }, { '': 100 }]);
    expect([await values('store.connections.used'), await values('store.connections.limit')]).toEqual([
      { '': 6 },
      { '': 10 },
    ]);
    expect([await values('store.disk.used'), await values('store.disk.limit')]).toEqual([{ '': 600 }, { '': 1_000 }]);
    expect([await values('store.size'), await values('store.log.size')]).toEqual([{ '': 70 }, { '': 7 }]);
    expect([await values('store.rows.dead'), await values('store.transaction.age')]).toEqual([{ '': 3 }, { '': 1.5 }]);
    expect(await values('store.notified')).toEqual({ '': 1 });
    expect(await values('worker.handlers')).toEqual({ Scripted: 1 });
    observed.app.get(JobWorker).stopClaiming();
    expect(await values('worker.handlers')).toEqual({});
    await observed.app.close();
    expect(await values('jobs.released')).toEqual({ Scripted: 1 });
  });

  it('exist at 0 before the first job, for every name that the process knows', async () => {
    const observed = await ObservedApp.start({ worker: IMPATIENT });
    const byStatus = { 'Scripted Queued': 0, 'Scripted Scheduled': 0 };
    expect(await observed.values('async_endpoint.queue.depth')).toEqual(byStatus);
    const ages = { ...byStatus, 'Scripted InProgress': 0 };
    expect(await observed.values('asyncendpoints.queue.oldest_age')).toEqual(ages);
    expect(await observed.values('asyncendpoints.queue.running')).toEqual({ Scripted: 0 });
    // A worker registers with its first sweep, which may not be over.
    await eventually(async () => (await observed.values('asyncendpoints.queue.workers'))['Scripted'] === 1);
    expect(await observed.values('asyncendpoints.queue.paused')).toEqual({ Scripted: 0 });
    expect(await observed.values('asyncendpoints.store.up')).toEqual({ '': 1 });

    const counters = Object.entries<Metric>(METRICS).filter(([, { kind }]) => kind === 'counter');
    for (const [name] of counters) {
      const values = Object.values(await observed.values(name));
      expect([name, values.length > 0, values.every((value) => value === 0)]).toEqual([name, true, true]);
    }
    const failures = { 'Scripted ERROR': 0, 'Scripted JOB_TIMEOUT': 0, 'Scripted WORKER_CRASHED': 0 };
    expect(await observed.values('asyncendpoints.jobs.failed')).toEqual(failures);
    expect(await observed.values('asyncendpoints.jobs.refused')).toEqual({
      'Scripted QUEUE_FULL': 0,
      'Scripted STORE_FULL': 0,
      'Scripted STORE_READ_ONLY': 0,
    });
  });

  it('exist at 0 for the names of endpoints in a process without workers', async () => {
    const reader = new PrometheusExporter({ preventServerStart: true });
    const meterProvider = new MeterProvider({ readers: [reader] });
    const telemetry = AsyncEndpointsTelemetryModule.forRoot({ meterProvider, tracerProvider: null });
    await startApp('Fastify', { ...ACCEPTING, imports: [telemetry], options: { role: 'api' } });
    const { resourceMetrics } = await reader.collect();
    const text = new PrometheusSerializer().serialize(resourceMetrics);
    expect(text).toContain('async_endpoint_queue_depth{job_name="Report",job_status="Queued"');
    expect(text).toMatch(/asyncendpoints_jobs_submitted_total{job_name="Report"[^}]*} 0/);
  });

  it('report the depth and age of every queue, and 0 for one that is empty again', async () => {
    let now = 1_000_000;
    const store = new MemoryJobStore({ now: () => now });
    const observed = await ObservedApp.start({ store, worker: IMPATIENT });
    const slow = aJob({ name: 'Slow' });
    await store.submit([slow, aJob({ name: 'Slow', delayMs: 60_000 })], { queueLimit: 10 });
    now += 5_000;
    expect(await observed.values('async_endpoint.queue.depth')).toMatchObject({
      'Slow Queued': 1,
      'Slow Scheduled': 1,
    });
    expect(await observed.values('asyncendpoints.queue.oldest_age')).toMatchObject({ 'Slow Queued': 5 });
    const bytes = (await store.stats()).map((entry) => [`Slow ${entry.status}`, entry.bytes]);
    expect(bytes).toEqual([
      ['Slow Queued', expect.any(Number)],
      ['Slow Scheduled', expect.any(Number)],
    ]);
    expect(await observed.values('asyncendpoints.queue.bytes')).toMatchObject(Object.fromEntries(bytes));
    await store.claim({ worker: 'w', leaseMs: 600_000, limit: 1, slots: new Map([['Slow', 1]]) });
    await freshly(observed, async () => {
      const depth = await observed.values('async_endpoint.queue.depth');
      expect(depth).toMatchObject({ 'Slow Queued': 0, 'Slow Scheduled': 1 });
      expect(await observed.values('asyncendpoints.queue.bytes')).toMatchObject({ 'Slow Queued': 0 });
      expect(await observed.values('asyncendpoints.queue.running')).toMatchObject({ Slow: 1 });
    });
  });

  it('cost one call to the store for all concurrent scrapes', async () => {
    const observed = await ObservedApp.start({ role: 'api' }); // a worker reads them too, once a minute
    await Promise.all([observed.metrics(), observed.metrics(), observed.metrics()]);
    expect((await observed.values('asyncendpoints.store.call.duration'))['stats']).toBe(1);
  });

  it('report no queues while the store is unreachable, and the log states it once', async () => {
    const { store, fail } = unreliable(new MemoryJobStore());
    const log = new LogBook();
    const observed = await ObservedApp.start({ store, worker: IMPATIENT }, log);
    await store.submit([aJob({ name: 'Slow' })], { queueLimit: 10 });
    fail({ verbs: ['stats'] });
    await observed.metrics();
    expect(await observed.values('async_endpoint.queue.depth')).toEqual({});
    expect(await observed.values('asyncendpoints.worker.slots.limit')).toEqual({ '': 4 });
    expect(log.text.split('The metrics of the queues cannot be read')).toHaveLength(2);
  });

  it('of queues disappear with the first read after the store became unreachable, and come back with it', async () => {
    const { store, fail, mend } = unreliable(new MemoryJobStore());
    const observed = await ObservedApp.start({ store, worker: IMPATIENT });
    const read = async () => ({
      queued: (await observed.values('async_endpoint.queue.depth'))['Slow Queued'],
      age: (await observed.values('asyncendpoints.queue.oldest_age'))['Slow Queued'],
      running: (await observed.values('asyncendpoints.queue.running'))['Slow'],
      up: (await observed.values('asyncendpoints.store.up'))[''],
    });
    await store.submit([aJob({ name: 'Slow' })], { queueLimit: 10 });
    await freshly(observed, async () => {
      expect(await read()).toMatchObject({ queued: 1, running: 0, up: 1 });
    });
    fail({ verbs: ['stats'] });
    await freshly(observed, async () => {
      expect(await read()).toEqual({ queued: undefined, age: undefined, running: undefined, up: 0 });
    });
    mend();
    await freshly(observed, async () => {
      expect(await read()).toMatchObject({ queued: 1, running: 0, up: 1 });
    });
  });

  it('subscribe to events only while an application with telemetry runs', async () => {
    const store = new MemoryJobStore();
    const own = Object.keys(store);
    const { app } = await ObservedApp.start({ store, worker: IMPATIENT });
    expect(RUN_MIDDLEWARE.size > 0 && JOB_CHANNELS.claim.hasSubscribers).toBe(true);
    await app.close();
    expect([RUN_MIDDLEWARE.size, SUBMIT_MIDDLEWARE.size, JOB_CHANNELS.claim.hasSubscribers]).toEqual([0, 0, false]);
    expect(Object.keys(store)).toEqual(own);
  });
});

/** An answer of the store is shared for a second: until it is asked again, the old one is right. */
function freshly(observed: ObservedApp, check: () => Promise<void>): Promise<boolean> {
  return eventually(async () => {
    await observed.metrics();
    await check();
    return true;
  });
}

describe('docs/metrics.md', () => {
  it('matches the catalogue', async () => {
    const text = await readFile(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
    const rows = [...text.matchAll(/^\| `([\w.]+)` +\| (\w+) +\| `(\S+)` +\| (.*?) +\| (.*?) +\| `(\w+)` +\|$/gm)];
    const written = rows.map(([, name, kind, unit, attributes, meaning, inPrometheus]) => ({
      name,
      kind,
      unit,
      attributes: [...(attributes ?? '').matchAll(/`([\w.]+)`/g)].map(([, attribute]) => attribute),
      meaning,
      inPrometheus,
    }));
    const known = Object.entries<Metric>(METRICS).map(([name, { kind, unit, attributes, description }]) => ({
      name,
      kind,
      unit,
      attributes,
      meaning: description,
      inPrometheus: name.replaceAll('.', '_') + (kind === 'counter' ? '_total' : ''),
    }));
    expect(written).toEqual(known);
  });
});
