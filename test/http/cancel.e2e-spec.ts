import type { AsyncEndpointsError, JobRecord } from 'nestjs-async-endpoints';
import { refused } from './answer.js';
import { ACCEPTING, handlerOf, HeldReport, Report, ReportHandler, ReportsController, UNKNOWN_ID } from './reports.js';
import { STACKS, startApp } from './start-app.js';
import { type Stores, storesOf } from './stacks.js';

describe.each(STACKS)('DELETE /jobs/{id}, on %s', (stack) => {
  it('cancels a queued job at once, and it never runs', async () => {
    const app = await startApp(stack, ACCEPTING);
    const { job } = await app.post('/reports', { title: 'Bees' });
    const answer = await app.delete(job.links.self);

    expect([answer.status, answer.job.status]).toEqual([200, 'Canceled']);
    expect(answer.job).toMatchObject({ id: job.id, startedAt: null, result: null, error: null });
    expect(answer.job.completedAt).not.toBeNull();
    expect(await app.jobs.depth()).toBe(0);
    expect((await app.get(job.links.self)).body).toEqual(answer.body);
  });

  it('cancels a scheduled job at once', async () => {
    const app = await startApp(stack, { controllers: [ReportsController], providers: [ReportHandler] });
    const { id } = await app.jobs.submit(Report, { title: 'later' }, { delayMs: 60_000 });
    const answer = await app.delete(`/jobs/${id}`);
    expect([answer.status, answer.job.status]).toEqual([200, 'Canceled']);
  });

  it('cancels a running job: its signal is aborted, and its late result is discarded', async () => {
    const held = new HeldReport();
    const stores = await storesOf(stack);
    const options = { store: stores.replica() };
    const app = await startApp(stack, { controllers: [ReportsController], providers: [held.Handler], options });
    const { job } = await app.post('/reports', { title: 'Bees' });
    const { signal } = await held.started.opened;
    const fired = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    const answer = await app.delete(job.links.self);
    await fired;
    held.finish.open({ text: 'too late' });
    await held.returned.opened;
    await app.close();

    expect([answer.status, answer.job.status]).toEqual([200, 'Canceled']);
    expect((signal.reason as AsyncEndpointsError).code).toBe('JOB_CANCELED');
    expect(await stored(job.id, stores)).toMatchObject({ status: 'Canceled', result: null, error: null });
  });

  it('reaches a job that runs in another process of the same store', async () => {
    const stores = await storesOf(stack);
    const held = new HeldReport();
    const api = await startApp(stack, { ...ACCEPTING, options: { role: 'api', store: stores.replica() } });
    await startApp(stack, { providers: [held.Handler], options: { role: 'worker', store: stores.replica() } });
    const { job } = await api.post('/reports', { title: 'Bees' });
    const { signal } = await held.started.opened;
    const fired = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    expect((await api.delete(job.links.self)).job.status).toBe('Canceled');
    await fired;
    held.finish.open({ text: 'too late' });
  });

  it('does not count a handler that ends at its signal as failed', async () => {
    const held = new HeldReport();
    const Handler = handlerOf(Report, async (_request, context) => {
      held.started.open(context);
      await new Promise((_resolve, reject) =>
        context.signal.addEventListener('abort', () => reject(context.signal.reason as Error)),
      );
      return { text: '' };
    });
    const stores = await storesOf(stack);
    const options = { store: stores.replica() };
    const app = await startApp(stack, { controllers: [ReportsController], providers: [Handler], options });
    const { job } = await app.post('/reports', { title: 'Bees' });
    await held.started.opened;
    await app.delete(job.links.self);
    await app.close();
    expect(await stored(job.id, stores)).toMatchObject({ status: 'Canceled', retryCount: 0, error: null });
    expect(app.log.text).not.toMatch(/failed for good|will be retried/);
  });

  it('returns 200 and the unchanged job when repeated', async () => {
    const app = await startApp(stack, ACCEPTING);
    const { job } = await app.post('/reports', { title: 'Bees' });
    const first = await app.delete(job.links.self);
    const second = await app.delete(job.links.self);
    expect([second.status, second.body]).toEqual([200, first.body]);
  });

  it('returns 409 JOB_ALREADY_FINISHED for a completed job, which does not change', async () => {
    const app = await startApp(stack, { controllers: [ReportsController], providers: [ReportHandler] });
    const { job } = await app.post('/reports', { title: 'Bees' });
    const before = await app.ended(job);
    expect((await app.delete(job.links.self)).refusal).toEqual(refused(409, 'JOB_ALREADY_FINISHED'));
    expect((await app.get(job.links.self)).body).toEqual(before.body);
  });

  it('returns 409 JOB_ALREADY_FINISHED for a failed job', async () => {
    const Handler = handlerOf(Report, () => {
      throw new Error('no');
    });
    const app = await startApp(stack, {
      controllers: [ReportsController],
      providers: [Handler],
      options: { jobs: { defaultMaxRetries: 0 } },
    });
    const { job } = await app.post('/reports', { title: 'Bees' });
    await app.ended(job);
    expect((await app.delete(job.links.self)).refusal).toEqual(refused(409, 'JOB_ALREADY_FINISHED'));
  });

  it('returns 404 JOB_NOT_FOUND for an unknown job', async () => {
    const app = await startApp(stack, ACCEPTING);
    expect((await app.delete(`/jobs/${UNKNOWN_ID}`)).refusal).toEqual(refused(404, 'JOB_NOT_FOUND'));
  });

  it('gives 20 concurrent cancellations of one job the same response', async () => {
    const app = await startApp(stack, ACCEPTING);
    const { job } = await app.post('/reports', { title: 'Bees' });
    const answers = await Promise.all(Array.from({ length: 20 }, () => app.delete(job.links.self)));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(200);
  });

  it('keeps the id: the same submission is a replay of the canceled job', async () => {
    const app = await startApp(stack, ACCEPTING);
    const headers = { 'X-Async-Request-Id': UNKNOWN_ID };
    await app.post('/reports', { title: 'Bees' }, headers);
    await app.delete(`/jobs/${UNKNOWN_ID}`);
    const replay = await app.post('/reports', { title: 'Bees' }, headers);
    expect([replay.status, replay.job.status, replay.header('Idempotency-Replayed')]).toEqual([
      200,
      'Canceled',
      'true',
    ]);
  });
});

/** What the store has of a job, when the application that made it is gone. */
async function stored(id: string, stores: Stores): Promise<JobRecord | null | undefined> {
  const store = stores.replica();
  await store.open();
  const [job] = await store.find([id]);
  await store.close();
  return job;
}
