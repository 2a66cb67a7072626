import { eventually } from 'nestjs-async-endpoints/testing';
import { refused } from './answer.js';
import { Gate } from './gate.js';
import { handlerOf, Report, ReportsController } from './reports.js';
import { ADAPTERS, type AdapterName, startApp } from './start-app.js';
import { watchedStoreOf } from './watched-store.js';

const BEES = { title: 'Bees' };

/** A worker, whose runs the test lets end one by one, on a store whose clock the test sets back. */
async function startClocked(adapter: AdapterName, { http = {}, jobs = {}, workers = 1 } = {}) {
  let behindMs = 0;
  const ends: Gate[] = [];
  const store = await watchedStoreOf(adapter, { now: () => Date.now() - behindMs });
  const Handler = handlerOf(Report, async (_request, context) => {
    const end = new Gate();
    await context.progress(0);
    ends.push(end);
    await end.opened;
    return { text: '' };
  });
  const app = await startApp(adapter, {
    controllers: [ReportsController],
    providers: [Handler],
    options: { store, http, jobs, worker: { maxConcurrency: workers }, recovery: { enabled: false } },
  });

  /** A job that has been in progress for so long. */
  async function running(seconds: number) {
    behindMs = seconds * 1_000;
    const before = ends.length;
    const { job } = await app.post('/reports', BEES);
    await eventually(() => ends.length > before);
    behindMs = 0;
    return job;
  }

  /** Has the application see a job that took so long. */
  async function learn(seconds: number) {
    const job = await running(seconds);
    ends.at(-1)?.open();
    await app.ended(job);
    return job;
  }

  return { app, store, running, learn };
}

async function secondsOf(answer: Promise<{ header(name: string): string | null }>): Promise<number> {
  return Number((await answer).header('Retry-After'));
}

describe.each(ADAPTERS)('Retry-After, on %s', (adapter) => {
  it('is 1 without any data, and does not call the store', async () => {
    const { app, store, running } = await startClocked(adapter);
    const job = await running(0);
    const { asked } = store; // the first sweep of the worker has asked
    expect(await secondsOf(app.post('/reports', BEES))).toBe(1);
    expect(await secondsOf(app.get(job.links.self))).toBe(1);
    expect(store.asked).toBe(asked);
  });

  it('is the remaining time of a running job, estimated from earlier ones', async () => {
    const { app, running, learn } = await startClocked(adapter);
    await learn(40);
    const seconds = await secondsOf(app.get((await running(10)).links.self));
    expect(seconds).toBeGreaterThan(20);
    expect(seconds).toBeLessThanOrEqual(30);
  });

  it('follows the recent runs of the name', async () => {
    const { app, running, learn } = await startClocked(adapter);
    await learn(10);
    await learn(30);
    const seconds = await secondsOf(app.get((await running(0)).links.self));
    expect(seconds).toBeGreaterThan(10);
    expect(seconds).toBeLessThan(20);
  });

  it('learns from each job once', async () => {
    const { app, running, learn } = await startClocked(adapter);
    await learn(10);
    const last = await learn(30);
    for (let times = 0; times < 9; times++) await app.get(last.links.self);
    expect(await secondsOf(app.get((await running(0)).links.self))).toBeLessThan(20);
  });

  it('grows with the running time of a job that takes longer than expected', async () => {
    const { app, running, learn } = await startClocked(adapter);
    await learn(2);
    expect(await secondsOf(app.get((await running(40)).links.self))).toBeGreaterThanOrEqual(10);
  });

  it('uses the progress of the job', async () => {
    const { app, store, running } = await startClocked(adapter);
    const { id, links } = await running(20);
    const [job] = await store.find([id]);
    await store.renew([{ id, fence: job?.fence as number, leaseMs: 60_000, progress: { fraction: 0.5, message: '' } }]);
    const seconds = await secondsOf(app.get(links.self));
    expect(seconds).toBeGreaterThanOrEqual(20);
    expect(seconds).toBeLessThan(30);
  });

  it('is larger at the end of a queue than at its head', async () => {
    const { app, running, learn } = await startClocked(adapter, { http: { maxRetryAfterMs: 3_600_000 } });
    await learn(20);
    await running(0);
    const head = await app.post('/reports', BEES);
    await app.post('/reports', BEES);
    // What is known of the queue is up to a second old.
    await eventually(async () => (await secondsOf(app.post('/reports', BEES))) >= 60);
    expect(await secondsOf(app.get(head.job.links.self))).toBeLessThan(40);
  });

  it('is smaller when more jobs run concurrently', async () => {
    const limits = { workers: 2, jobs: { maxQueueSize: 4 } };
    const { app, running, learn } = await startClocked(adapter, limits);
    await learn(10);
    await running(0);
    await running(0);
    for (let waiting = 0; waiting < 4; waiting++) await app.post('/reports', BEES);
    await eventually(async () => (await secondsOf(app.post('/reports', BEES))) === 20);
  });

  it('includes the time until the scheduledAt of a job', async () => {
    const { app } = await startClocked(adapter);
    const { id } = await app.jobs.submit(Report, BEES, { delayMs: 45_000 });
    const seconds = await secondsOf(app.get(`/jobs/${id}`));
    expect(seconds).toBeGreaterThan(30);
    expect(seconds).toBeLessThanOrEqual(45);
  });

  it('is at most http.maxRetryAfterMs', async () => {
    const { app, running, learn } = await startClocked(adapter, { http: { maxRetryAfterMs: 5_000 } });
    await learn(40);
    expect(await secondsOf(app.get((await running(0)).links.self))).toBe(5);
    const { id } = await app.jobs.submit(Report, BEES, { delayMs: 60_000 });
    expect(await secondsOf(app.get(`/jobs/${id}/result`))).toBe(5);
  });

  it.each([
    ['jobs', { maxQueueSize: 2 }],
    ['bytes', { maxQueueBytes: 1_400 }],
  ])('is the time until a queue full of %s has room, for a refused client', async (_, jobs) => {
    const { app, running, learn } = await startClocked(adapter, { jobs });
    await learn(10);
    await running(0);
    await app.post('/reports', BEES);
    await app.post('/reports', BEES);
    await eventually(async () => (await secondsOf(app.post('/reports', BEES))) === 20);
    expect((await app.post('/reports', BEES)).refusal).toEqual(refused(503, 'QUEUE_FULL'));
  });

  it('is the age of the oldest job when this process has seen no job end', async () => {
    let behindMs = 600_000;
    const store = await watchedStoreOf(adapter, { now: () => Date.now() - behindMs });
    const options = {
      role: 'api' as const,
      store,
      jobs: { maxQueueSize: 1 },
      http: { maxRetryAfterMs: 3_600_000 },
    };
    const app = await startApp(adapter, { controllers: [ReportsController], options });
    await app.post('/reports', BEES);
    behindMs = 0;
    const seconds = await secondsOf(app.post('/reports', BEES));
    expect(seconds).toBeGreaterThanOrEqual(600);
    expect(seconds).toBeLessThan(700);
  });

  it('reads the queues at most once per second, and works without a reply', async () => {
    const { app, store, running, learn } = await startClocked(adapter);
    await learn(10);
    await running(0);
    const { job } = await app.post('/reports', BEES);
    const startedAt = performance.now();
    for (let n = 0; n < 100; n++) await app.get(job.links.self);
    expect(store.asked).toBeLessThanOrEqual(2 + (performance.now() - startedAt) / 1_000);
    let failed = 0;
    store.stats = () => {
      failed++;
      return Promise.reject(new Error('gone'));
    };
    await eventually(async () => (await secondsOf(app.get(job.links.self))) >= 10 && failed > 0);
  });
});
