import { request as httpRequest } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { AsyncEndpointsError, type HttpRequest } from 'nestjs-async-endpoints';
import { eventually } from 'nestjs-async-endpoints/testing';
import { refused } from './answer.js';
import { Gate } from './gate.js';
import { ACCEPTING, HeldReport, Report, ReportHandler, ReportsController, UNKNOWN_ID } from './reports.js';
import { STACKS, type StackName, type RunningApp, startApp } from './start-app.js';
import { type WatchedStore, watchedStoreOf } from './watched-store.js';

/** Longer than any test: only what is waited for can end it. */
const WAIT = { Prefer: 'wait=600' };
const PATIENT = { maxWaitSeconds: 600 };
const BEES = { title: 'Bees' };

/** An application whose jobs stay in progress until the test lets them end. */
async function startHeld(stack: StackName) {
  const held = new HeldReport();
  const store = await watchedStoreOf(stack);
  const app = await startApp(stack, {
    controllers: [ReportsController],
    providers: [held.Handler],
    options: { store, http: PATIENT, worker: { drainTimeoutMs: 20_000 } },
  });
  return { app, store, held };
}

/** An application whose jobs stay queued. */
async function startAccepting(stack: StackName, http: object = PATIENT) {
  const store = await watchedStoreOf(stack);
  const app = await startApp(stack, { ...ACCEPTING, options: { role: 'api', store, http } });
  const { job } = await app.post('/reports', BEES);
  return { app, store, job };
}

/** A request whose client goes away when the returned function is called. */
function sendAndLeave(app: RunningApp, method: string, path: string, body?: string): () => void {
  const headers = { ...WAIT, ...(body && { 'Content-Type': 'application/json', 'Content-Length': body.length }) };
  const sent = httpRequest({ host: '127.0.0.1', port: app.port, method, path, headers, agent: false });
  sent.on('error', () => {}); // it hangs up on itself
  sent.end(body);
  return () => sent.destroy();
}

describe.each(STACKS)('Prefer: wait on a submission, on %s', (stack) => {
  it('is answered 200 with the finished job, as soon as it has finished', async () => {
    const { app, store, held } = await startHeld(stack);
    const answering = app.post('/reports', BEES, WAIT);
    await held.started.opened;
    held.finish.open({ text: 'About Bees' });
    const answer = await answering;

    expect([answer.status, answer.job.status, answer.job.result]).toEqual([200, 'Completed', { text: 'About Bees' }]);
    expect(answer.header('Preference-Applied')).toBe('wait=600');
    expect(answer.header('Location')).toBe(answer.job.links.self);
    expect(answer.header('X-Async-Request-Id')).toBe(answer.job.id);
    expect([answer.header('Retry-After'), answer.header('Idempotency-Replayed')]).toEqual([null, null]);
    expect(store.watching).toBe(0);
  });

  it('is answered 202 with the job when time is up, and capped by http.maxWaitSeconds, which it says', async () => {
    const { app, store } = await startAccepting(stack, { maxWaitSeconds: 1 });
    const applied = {
      'respond-async, wait=1': 'respond-async, wait=1',
      'wait="1"; foo, wait=600': 'wait=1',
      'foo="a, wait=600", wait = 1': 'wait=1',
      'respond-async, wait=99999999999999999999': 'respond-async, wait=1',
    };
    const answers = await Promise.all(Object.keys(applied).map((Prefer) => app.post('/reports', BEES, { Prefer })));
    for (const answer of answers) {
      expect([answer.status, answer.job.status, answer.header('Retry-After')]).toEqual([202, 'Queued', '1']);
    }
    expect(answers.map((answer) => answer.header('Preference-Applied'))).toEqual(Object.values(applied));
    expect(store.watching).toBe(0);
  });

  it.each(['wait', 'wait=', 'wait=-1', 'wait=1.5', 'wait=1e3', 'wait=soon', 'wait=0', 'await=600', '"wait=600"'])(
    'is ignored where it is malformed or no time at all: %s',
    async (prefer) => {
      const { app, store } = await startAccepting(stack);
      const answer = await app.post('/reports', BEES, { Prefer: prefer });
      expect([answer.status, answer.header('Preference-Applied')]).toEqual([202, null]);
      expect(store.begun).toBe(0);
    },
  );

  it('is ignored with http.maxWaitSeconds 0', async () => {
    const { app, store, job } = await startAccepting(stack, { maxWaitSeconds: 0 });
    expect((await app.post('/reports', BEES, WAIT)).status).toBe(202);
    expect((await app.get(job.links.self, WAIT)).header('Preference-Applied')).toBeNull();
    expect(store.begun).toBe(0);
  });

  it('waits for the job that a replay finds, and says that it is one', async () => {
    const { app, held } = await startHeld(stack);
    const headers = { ...WAIT, 'Idempotency-Key': 'order-7' };
    const answering = [app.post('/reports', BEES, headers), app.post('/reports', BEES, headers)];
    await held.started.opened;
    held.finish.open({ text: '' });
    const answers = await Promise.all(answering);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(new Set(answers.map((answer) => answer.header('Idempotency-Replayed')))).toEqual(new Set(['true', null]));
  });

  it('is answered 202 where the store goes away during the wait: the job is queued all the same', async () => {
    const { app, store } = await startAccepting(stack);
    store.onWatched = () => {
      throw new AsyncEndpointsError('STORE_UNAVAILABLE');
    };
    const answer = await app.post('/reports', BEES, WAIT);
    expect([answer.status, answer.job.status]).toEqual([202, 'Queued']);
  });

  it('frees everything when the client goes away, and the job goes on', async () => {
    const { app, store, held } = await startHeld(stack);
    const leave = sendAndLeave(app, 'POST', '/reports', '{"title":"Bees"}');
    await eventually(() => store.watching === 1);
    leave();
    await eventually(() => store.watching === 0);
    held.finish.open({ text: '' });
    const [job] = await app.all();
    expect((await app.jobs.waitFor(job?.id as string)).status).toBe('Completed');
  });
});

describe.each(STACKS)('Prefer: wait on status and result, on %s', (stack) => {
  it('is held until the job has completed', async () => {
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

  it('is held until the job was canceled, on another replica of the store', async () => {
    const { app, store, job } = await startAccepting(stack);
    const other = await startApp(stack, { ...ACCEPTING, options: { role: 'api', store } });
    const answering = [app.get(job.links.self, WAIT), app.get(job.links.result, WAIT)];
    await eventually(() => store.watching === 1);
    await other.delete(job.links.self);
    const [status, result] = await Promise.all(answering);
    expect([status?.status, status?.job.status]).toEqual([200, 'Canceled']);
    expect(result?.refusal).toEqual(refused(410, 'JOB_CANCELED'));
  });

  it('is answered at once where the job has ended', async () => {
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

  it('is answered with the job as it stands when time is up', async () => {
    const { app, store, job } = await startAccepting(stack);
    const paths = [job.links.self, job.links.result];
    for (const answer of await Promise.all(paths.map((path) => app.get(path, { Prefer: 'wait=1' })))) {
      expect([answer.status, answer.job.status, answer.header('Retry-After')]).toEqual([202, 'Queued', '1']);
      expect(answer.header('Preference-Applied')).toBe('wait=1');
    }
    expect(store.watching).toBe(0);
  });

  it('is held until the representation changes, with If-None-Match', async () => {
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

  it('is answered 304 when time is up and nothing has changed, or at once where nothing can', async () => {
    const { app, job } = await startAccepting(stack);
    const known = (await app.get(job.links.self)).header('ETag') as string;
    const unchanged = await app.get(job.links.self, { Prefer: 'wait=1', 'If-None-Match': known });
    expect([unchanged.status, unchanged.text, unchanged.header('Preference-Applied')]).toEqual([304, '', 'wait=1']);
    await app.delete(job.links.self);
    const ended = (await app.get(job.links.self)).header('ETag') as string;
    expect((await app.get(job.links.self, { ...WAIT, 'If-None-Match': ended })).status).toBe(304);
  });

  it('is for HEAD as for GET', async () => {
    const { app, store, job } = await startAccepting(stack);
    const answering = app.send('HEAD', job.links.self, { headers: WAIT });
    await eventually(() => store.watching === 1);
    await app.delete(job.links.self);
    const answer = await answering;
    expect([answer.status, answer.text, answer.header('Preference-Applied')]).toEqual([200, '', 'wait=600']);
  });

  it('is 404 or 400 at once for an unknown job, one of another owner and no id', async () => {
    const owner = ({ headers }: HttpRequest) => (headers['x-user'] as string | undefined) ?? null;
    const { app, store, job } = await startAccepting(stack, { ...PATIENT, owner });
    const bob = { ...WAIT, 'X-User': 'bob' };
    for (const path of [`/jobs/${UNKNOWN_ID}`, job.links.self, job.links.result]) {
      expect((await app.get(path, bob)).refusal).toEqual(refused(404, 'JOB_NOT_FOUND'));
    }
    expect((await app.get('/jobs/17', bob)).refusal).toEqual(refused(400, 'INVALID_JOB_ID'));
    expect(store.begun).toBe(0);
  });

  it('is 503 STORE_UNAVAILABLE where the store goes away, before or during the wait', async () => {
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

describe.each(STACKS)('A wait, on %s', (stack) => {
  it('does not miss a job that ends between subscribing and reading', async () => {
    const { app, store, job } = await startAccepting(stack);
    store.onWatched = (id) => store.cancel([id]);
    expect((await app.get(job.links.self, WAIT)).job.status).toBe('Canceled');
    expect((await app.post('/reports', BEES, WAIT)).job.status).toBe('Canceled');
  });

  it.each([1, 2])('does not miss a job that ends after read %i and before its answer is there', async (read) => {
    const { app, store, job } = await startAccepting(stack);
    store.onRead = ([id]) => (store.reads === read ? store.cancel([id as string]) : null);
    expect((await app.get(job.links.self, WAIT)).job.status).toBe('Canceled');
  });

  it('that a submission began does not miss it either', async () => {
    const { app, store } = await startAccepting(stack);
    store.onRead = ([id]) => (store.reads === 1 ? store.cancel([id as string]) : null);
    expect((await app.post('/reports', BEES, WAIT)).job.status).toBe('Canceled');
  });

  it('asks the store nothing while nothing happens, and once per change however many wait', async () => {
    const { app, store, job } = await startAccepting(stack);
    const http = Array.from({ length: 100 }, () => app.get(job.links.self, WAIT));
    await eventually(() => store.reads > 100);
    const code = Array.from({ length: 5_000 }, () => app.jobs.waitFor(job.id, { timeoutMs: 600_000 }));
    // All are in: one that is told of a change has been told of the state before.
    const reads = await settledReads(store);
    await app.jobs.cancel(job.id);
    const statuses = (await Promise.all(http)).map((answer) => answer.job.status);
    expect(new Set([...statuses, ...(await Promise.all(code)).map(({ status }) => status)])).toEqual(
      new Set(['Canceled']),
    );
    expect([store.begun, store.watching]).toEqual([1, 0]);
    expect(store.reads).toBe(reads + 1);
  });

  it('of one client outlives that of another', async () => {
    const { app, store, job } = await startAccepting(stack);
    const leave = sendAndLeave(app, 'GET', job.links.self);
    await eventually(() => store.reads === 2);
    const staying = app.get(job.links.self, WAIT);
    await eventually(() => store.reads === 4);
    leave();
    await app.delete(job.links.self);
    expect((await staying).job.status).toBe('Canceled');
    expect(store.begun).toBe(1);
    await eventually(() => store.watching === 0);
  });

  it('is freed when the last client goes away', async () => {
    const { app, store, job } = await startAccepting(stack);
    const leave = [sendAndLeave(app, 'GET', job.links.result), sendAndLeave(app, 'HEAD', job.links.self)];
    await eventually(() => store.reads >= 3 && store.watching === 1);
    leave[0]?.();
    leave[1]?.();
    await eventually(() => store.watching === 0);
  });

  it('is ended by shutdown with the job as it stands, and does not delay it', async () => {
    const { app, store, job } = await startAccepting(stack);
    const answering = [
      app.get(job.links.self, WAIT),
      app.get(job.links.result, WAIT),
      app.post('/reports', BEES, WAIT),
    ];
    await eventually(() => store.watching === 2);
    await app.close();
    const answers = await Promise.all(answering);
    expect(answers.map(({ status, job: { status: is } }) => [status, is])).toEqual(answers.map(() => [202, 'Queued']));
    expect(store.watching).toBe(0);
  });

  it('is answered with the result of a job that ends while the application drains', async () => {
    const { app, store, held } = await startHeld(stack);
    const answering = app.post('/reports', BEES, WAIT);
    await held.started.opened;
    await eventually(() => store.watching === 1);
    const closed = app.close();
    const refusing = new Gate();
    void eventually(async () => (await app.post('/reports', BEES)).status === 503).then(() => refusing.open());
    await refusing.opened;
    held.finish.open({ text: 'at last' });
    const answer = await answering;
    expect([answer.status, answer.job.result]).toEqual([200, { text: 'at last' }]);
    await closed;
  });
});

/** How often the store was read, once nobody reads any more: not even whoever waited for the last answer. */
async function settledReads(store: WatchedStore): Promise<number> {
  for (;;) {
    const before = store.reads;
    await store.ping();
    await setImmediate();
    if (store.reading === 0 && store.reads === before) return before;
  }
}

describe('JobManager.follow', () => {
  it('tells of the job as it stands and of each change until the end, as waitFor does of the end', async () => {
    const { app, store, held } = await startHeld('Express');
    const { id } = await app.jobs.submit(Report, BEES);
    const context = await held.started.opened;
    const seen: string[] = [];
    const told = new Gate();
    const ended = new Promise<void>((resolve, reject) =>
      app.jobs.follow(id).subscribe({
        next: ({ status, progress }) => {
          seen.push(`${status} ${progress?.fraction ?? ''}`.trim());
          told.open();
        },
        error: reject,
        complete: resolve,
      }),
    );
    await told.opened;
    await context.progress(0.5);
    await eventually(() => seen.length === 2);
    held.finish.open({ text: '' });
    await ended;
    expect(seen).toEqual(['InProgress', 'InProgress 0.5', 'Completed 0.5']);
    expect(store.begun).toBe(1);
    await eventually(() => store.watching === 0);
  });

  it.each([
    [UNKNOWN_ID, 'JOB_NOT_FOUND'],
    ['17', 'INVALID_JOB_ID'],
  ])('fails for %s with %s', async (id, code) => {
    const { app, store } = await startAccepting('Express');
    const failure = await new Promise((resolve) => app.jobs.follow(id).subscribe({ error: resolve }));
    expect(failure).toMatchObject({ code });
    await eventually(() => store.watching === 0);
  });
});
