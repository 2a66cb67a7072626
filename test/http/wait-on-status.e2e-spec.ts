import { AsyncEndpointsError, type HttpRequest } from 'nestjs-async-endpoints';
import { eventually } from 'nestjs-async-endpoints/testing';
import { refused } from './answer.js';
import { ACCEPTING, Report, ReportHandler, ReportsController, UNKNOWN_ID } from './reports.js';
import { STACKS, startApp } from './start-app.js';
import { BEES, PATIENT, startAccepting, startHeld, WAIT } from './waiting.js';

describe.each(STACKS)('Prefer: wait on status and result, on %s', (stack) => {
  it('holds the response until the job has completed', async () => {
    const { app, store, held } = await startHeld(stack);
    const { job } = await app.post('/reports', BEES);
    await held.started.opened;
    const answering = [app.get(job.links.self, WAIT), app.get(job.links.result, WAIT)];
    await eventually(() => store.watching === 1);
    held.finish.open({ text: 'About Bees' });
    const [status, result] = await Promise.all(answering);

    expect([status?.status, status?.job.status]).toEqual([200, 'Completed']);
    expect([result?.status, result?.body]).toEqual([200, { text: 'About Bees' }]);
    for (const answer of [status, result]) expect(answer?.header('Preference-Applied')).toBe('wait=600');
    expect(store.watching).toBe(0);
  });

  it('holds the response until another replica cancels the job', async () => {
    const { app, store, job } = await startAccepting(stack);
    const other = await startApp(stack, { ...ACCEPTING, options: { role: 'api', store } });
    const answering = [app.get(job.links.self, WAIT), app.get(job.links.result, WAIT)];
    await eventually(() => store.watching === 1);
    await other.delete(job.links.self);
    const [status, result] = await Promise.all(answering);
    expect([status?.status, status?.job.status]).toEqual([200, 'Canceled']);
    expect(result?.refusal).toEqual(refused(410, 'JOB_CANCELED'));
  });

  it('returns a terminal job at once', async () => {
    const app = await startApp(stack, {
      controllers: [ReportsController],
      providers: [ReportHandler],
      options: { http: PATIENT },
    });
    const { job } = await app.post('/reports', BEES);
    await app.ended(job);
    expect((await app.get(job.links.self, WAIT)).status).toBe(200);
    expect((await app.get(job.links.result, WAIT)).status).toBe(200);
  });

  it('returns the current state when the time is up', async () => {
    const { app, store, job } = await startAccepting(stack);
    const paths = [job.links.self, job.links.result];
    for (const answer of await Promise.all(paths.map((path) => app.get(path, { Prefer: 'wait=1' })))) {
      expect([answer.status, answer.job.status, answer.header('Retry-After')]).toEqual([202, 'Queued', '1']);
      expect(answer.header('Preference-Applied')).toBe('wait=1');
    }
    expect(store.watching).toBe(0);
  });

  it('holds the response until the representation changes, with If-None-Match', async () => {
    const { app, store, held } = await startHeld(stack);
    const { job } = await app.post('/reports', BEES);
    const context = await held.started.opened;
    const known = await app.get(job.links.self);
    const headers = { ...WAIT, 'If-None-Match': known.header('ETag') as string };
    const answering = app.get(job.links.self, headers);
    await eventually(() => store.watching === 1);
    await context.progress(0.5, 'half way');
    const changed = await answering;

    expect([changed.status, changed.job.progress?.fraction]).toEqual([202, 0.5]);
    expect(changed.header('ETag')).not.toBe(known.header('ETag'));
    // What is known is no longer so: there is nothing to wait for.
    expect((await app.get(job.links.self, headers)).status).toBe(202);
    held.finish.open({ text: '' });
  });

  it('returns 304 when the time is up without a change, or at once for a terminal job', async () => {
    const { app, job } = await startAccepting(stack);
    const known = (await app.get(job.links.self)).header('ETag') as string;
    const unchanged = await app.get(job.links.self, { Prefer: 'wait=1', 'If-None-Match': known });
    expect([unchanged.status, unchanged.text, unchanged.header('Preference-Applied')]).toEqual([304, '', 'wait=1']);
    await app.delete(job.links.self);
    const ended = (await app.get(job.links.self)).header('ETag') as string;
    expect((await app.get(job.links.self, { ...WAIT, 'If-None-Match': ended })).status).toBe(304);
  });

  it('works for HEAD as for GET', async () => {
    const { app, store, job } = await startAccepting(stack);
    const answering = app.send('HEAD', job.links.self, { headers: WAIT });
    await eventually(() => store.watching === 1);
    await app.delete(job.links.self);
    const answer = await answering;
    expect([answer.status, answer.text, answer.header('Preference-Applied')]).toEqual([200, '', 'wait=600']);
  });

  it('returns 404 or 400 at once for an unknown job, a job of another owner and an invalid id', async () => {
    const owner = ({ headers }: HttpRequest) => (headers['x-user'] as string | undefined) ?? null;
    const { app, store, job } = await startAccepting(stack, { ...PATIENT, owner });
    const bob = { ...WAIT, 'X-User': 'bob' };
    for (const path of [`/jobs/${UNKNOWN_ID}`, job.links.self, job.links.result]) {
      expect((await app.get(path, bob)).refusal).toEqual(refused(404, 'JOB_NOT_FOUND'));
    }
    expect((await app.get('/jobs/17', bob)).refusal).toEqual(refused(400, 'INVALID_JOB_ID'));
    expect(store.begun).toBe(0);
  });

  it('returns 503 STORE_UNAVAILABLE when the store becomes unreachable before or during the wait', async () => {
    const { app, store, job } = await startAccepting(stack);
    const broken = () => {
      throw new AsyncEndpointsError('STORE_UNAVAILABLE');
    };
    const answering = app.get(job.links.self, WAIT);
    await eventually(() => store.watching === 1);
    store.onRead = broken;
    await app.jobs.cancel(job.id);
    expect((await answering).refusal).toEqual(refused(503, 'STORE_UNAVAILABLE'));
    expect((await app.get(job.links.self, WAIT)).refusal).toEqual(refused(503, 'STORE_UNAVAILABLE'));
    store.onRead = () => {};
    expect((await app.get(job.links.self, WAIT)).status).toBe(200);
    const other = await app.jobs.submit(Report, BEES);
    store.onWatched = broken;
    expect((await app.get(`/jobs/${other.id}`, WAIT)).refusal).toEqual(refused(503, 'STORE_UNAVAILABLE'));
  });
});
