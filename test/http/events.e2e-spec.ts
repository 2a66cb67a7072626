import type { Server } from 'node:http';
import type { CallHandler } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { EventSource } from 'eventsource';
import { AsyncEndpointsError, type HttpRequest } from 'nestjs-async-endpoints';
import { eventually } from 'nestjs-async-endpoints/testing';
import { refused } from './answer.js';
import { EventStream, type ReceivedEvent } from './event-stream.js';
import { Gate } from './gate.js';
import { ACCEPTING, HeldReport, ReportHandler, ReportsController, UNKNOWN_ID } from './reports.js';
import { ADAPTERS, STACKS, type StackName, startApp } from './start-app.js';
import { watchedStoreOf } from './watched-store.js';

const BEES = { title: 'Bees' };

/** A job in progress that goes on when the test says so. */
async function startHeld(stack: StackName, http: object = {}) {
  const held = new HeldReport();
  const store = await watchedStoreOf(stack);
  const app = await startApp(stack, {
    controllers: [ReportsController],
    providers: [held.Handler],
    options: { store, http },
  });
  const { job } = await app.post('/reports', BEES);
  const context = await held.started.opened;
  return { app, store, held, job, context };
}

/** With an interceptor: around it, Nest begins the stream before the route has answered. */
async function startAccepting(stack: StackName, http: object = {}) {
  const store = await watchedStoreOf(stack);
  const intercept = (_context: unknown, next: CallHandler) => next.handle();
  const providers = [{ provide: APP_INTERCEPTOR, useValue: { intercept } }];
  const app = await startApp(stack, { ...ACCEPTING, providers, options: { role: 'api', store, http } });
  const { job } = await app.post('/reports', BEES);
  return { app, store, job };
}

describe.each(STACKS)('GET /jobs/{id}/events, on %s', (stack) => {
  it('streams the current state, then progress and status, and ends when the job is terminal', async () => {
    const { app, store, held, job, context } = await startHeld(stack);
    const stream = await EventStream.open(app, job.links.events);
    const first = await stream.nextJob();
    await context.progress(0.5, 'half way');
    const second = await stream.nextJob();
    held.finish.open({ text: 'About Bees' });
    const last = await stream.nextJob();

    const { statusCode, headers } = stream.response;
    expect([statusCode, headers['content-type']]).toEqual([200, 'text/event-stream']);
    expect(headers['cache-control']).toContain('no-cache');
    expect([first?.event, first?.job.status]).toEqual(['status', 'InProgress']);
    expect([second?.event, second?.job.progress]).toEqual(['progress', { fraction: 0.5, message: 'half way' }]);
    expect([last?.event, last?.job.result]).toEqual(['status', { text: 'About Bees' }]);
    expect(last?.job).toEqual((await app.get(job.links.self)).job);
    expect([first, second, last].map((event) => event?.version)).toEqual([2, 3, 4]);
    expect(await stream.next()).toBeNull();
    await eventually(() => store.watching === 0);
  });

  it('streams the whole life of a job: queued, in progress, canceled', async () => {
    const held = new HeldReport();
    const app = await startApp(stack, {
      controllers: [ReportsController],
      providers: [held.Handler],
      options: { worker: { maxConcurrency: 1 } },
    });
    await app.post('/reports', BEES);
    await held.started.opened;
    const { job } = await app.post('/reports', BEES);
    const stream = await EventStream.open(app, job.links.events);
    expect((await stream.nextJob())?.job.status).toBe('Queued');
    await app.delete(job.links.self);
    expect(await stream.nextJob()).toMatchObject({ event: 'status', version: 2, job: { status: 'Canceled' } });
    expect(await stream.next()).toBeNull();
    held.finish.open({ text: '' });
  });

  it('streams one event for a terminal job, and ends', async () => {
    const app = await startApp(stack, { controllers: [ReportsController], providers: [ReportHandler] });
    const { job } = await app.post('/reports', BEES);
    await app.ended(job);
    const stream = await EventStream.open(app, job.links.events);
    expect((await stream.nextJob())?.job.status).toBe('Completed');
    expect(await stream.next()).toBeNull();
  });

  it('sends a status event for another run, although the status is the same', async () => {
    const { app, store, job } = await startAccepting(stack);
    const claim = async () => {
      const request = { slots: new Map([['Report', 1]]), limit: 1, worker: 'test', leaseMs: 60_000 };
      return (await store.claim(request))[0]?.fence as number;
    };
    const held = { id: job.id, name: job.name, fence: await claim() };
    const stream = await EventStream.open(app, job.links.events);
    expect(await stream.nextJob()).toMatchObject({ event: 'status', job: { status: 'InProgress' } });
    // While the progress is read, the job changes hands: that it waited in between is not seen.
    const read = new Gate();
    store.onRead = () => read.opened;
    await store.renew([{ ...held, leaseMs: 60_000, progress: { fraction: 0.5, message: '' } }]);
    await eventually(() => store.reading === 1);
    await store.settle([{ ...held, verb: 'release' }]);
    await claim();
    read.open();
    expect(await stream.nextJob()).toMatchObject({ event: 'progress', version: 3 });
    expect(await stream.nextJob()).toMatchObject({ event: 'status', version: 5, job: { status: 'InProgress' } });
  });

  it('skips events up to Last-Event-ID', async () => {
    const { app, held, job, context } = await startHeld(stack);
    await context.progress(0.5);
    const seen = await EventStream.open(app, job.links.events, { 'Last-Event-ID': '3' });
    const missed = await EventStream.open(app, job.links.events, { 'Last-Event-ID': '2' });
    expect(await missed.nextJob()).toMatchObject({ event: 'status', version: 3 });
    await context.progress(0.75);
    expect(await seen.nextJob()).toMatchObject({
      event: 'progress',
      version: 4,
      job: { progress: { fraction: 0.75 } },
    });
    held.finish.open({ text: '' });
    expect(await seen.nextJob()).toMatchObject({ version: 5, job: { status: 'Completed' } });
  });

  it('returns 204 to a client that reconnects after the end, so that it stops', async () => {
    const { app, job } = await startAccepting(stack);
    await app.delete(job.links.self);
    const answer = await app.get(job.links.events, { 'Last-Event-ID': '2' });
    expect([answer.status, answer.text]).toEqual([204, '']);
  });

  it.each(['', 'x', '-1', '1.5', '99', '9'.repeat(40)])(
    'starts with the current state for an unknown Last-Event-ID: %s',
    async (id) => {
      const { app, job } = await startAccepting(stack);
      const stream = await EventStream.open(app, job.links.events, { 'Last-Event-ID': id });
      expect(await stream.nextJob()).toMatchObject({ event: 'status', version: 1, job });
    },
  );

  it('returns 404 or 400 as a problem instead of a stream, also for another owner', async () => {
    const owner = ({ headers }: HttpRequest) => (headers['x-user'] as string | undefined) ?? null;
    const { app, store, job } = await startAccepting(stack, { owner });
    const bob = { 'X-User': 'bob', Accept: 'text/event-stream' };
    expect((await app.get(`/jobs/${UNKNOWN_ID}/events`, bob)).refusal).toEqual(refused(404, 'JOB_NOT_FOUND'));
    expect((await app.get(job.links.events, bob)).refusal).toEqual(refused(404, 'JOB_NOT_FOUND'));
    expect((await app.get('/jobs/17/events')).refusal).toEqual(refused(400, 'INVALID_JOB_ID'));
    expect(store.begun).toBe(0);
  });

  it('returns 503 when the store is unreachable, and ends when it becomes unreachable later', async () => {
    const { app, store, job } = await startAccepting(stack);
    const stream = await EventStream.open(app, job.links.events);
    expect((await stream.nextJob())?.version).toBe(1);
    store.onRead = () => {
      throw new AsyncEndpointsError('STORE_UNAVAILABLE');
    };
    expect((await app.get(job.links.events)).refusal).toEqual(refused(503, 'STORE_UNAVAILABLE'));
    await app.jobs.cancel(job.id);
    expect(await stream.next()).toBeNull();
    expect(app.log.text).toContain(`The events of job ${job.id} ended early`);
    store.onRead = () => {};
  });

  it('shows the job as changed by response.jobStatus, like the status route', async () => {
    const app = await startApp(stack, {
      ...ACCEPTING,
      options: {
        role: 'api',
        response: { jobStatus: async (job, { reply }) => ({ ...reply, body: { state: job?.status } }) },
      },
    });
    const { job } = await app.post('/reports', BEES);
    const stream = await EventStream.open(app, job.links.events);
    expect((await stream.nextJob())?.job).toEqual({ state: 'Queued' });
  });

  it('costs one subscription and one read per change for any number of streams and waits', async () => {
    const { app, store, job } = await startAccepting(stack, { maxWaitMs: 600_000 });
    const streams = await Promise.all(Array.from({ length: 50 }, () => EventStream.open(app, job.links.events)));
    for (const stream of streams) await stream.nextJob();
    const waiting = app.get(job.links.self, { Prefer: 'wait=600' });
    const before = store.reads;
    await eventually(() => store.reads === before + 2);
    await app.jobs.cancel(job.id);
    for (const stream of streams) expect((await stream.nextJob())?.job.status).toBe('Canceled');
    expect((await waiting).status).toBe(200);
    expect([store.begun, store.reads]).toEqual([1, before + 3]);
    await eventually(() => store.watching === 0);
  });

  it('ends the subscription when the client disconnects', async () => {
    const { app, store, job } = await startAccepting(stack);
    const stream = await EventStream.open(app, job.links.events);
    await stream.nextJob();
    expect(store.watching).toBe(1);
    stream.close();
    await eventually(() => store.watching === 0);
  });

  it('answers HEAD without a stream', async () => {
    const { app, store, job } = await startAccepting(stack);
    const answer = await app.send('HEAD', job.links.events);
    expect([answer.status, answer.text, answer.header('Content-Type')]).toEqual([200, '', 'text/event-stream']);
    await eventually(() => store.watching === 0);
  });

  it('ends with the application, and does not delay its shutdown', async () => {
    const { app, store, job } = await startAccepting(stack);
    const stream = await EventStream.open(app, job.links.events);
    await stream.nextJob();
    await app.close();
    expect(await stream.next()).toBeNull();
    expect(store.watching).toBe(0);
  });

  it('is disconnected at shutdown when its client reads nothing', async () => {
    const held = new HeldReport();
    const app = await startApp(stack, {
      controllers: [ReportsController],
      providers: [held.Handler],
      // More than the sockets in between can take.
      options: { response: { jobStatus: (_job, { reply }) => ({ ...reply, body: { padding: 'x'.repeat(2 ** 25) } }) } },
    });
    const { job } = await app.post('/reports', BEES);
    const { response } = await EventStream.open(app, job.links.events);
    await app.close();
    expect(response.complete).toBe(false);
  });

  it('receives changes while the application drains', async () => {
    const { app, held, job } = await startHeld(stack);
    const stream = await EventStream.open(app, job.links.events);
    await stream.nextJob();
    held.finish.open({ text: 'at last' });
    await app.close();
    expect((await stream.nextJob())?.job.status).toBe('Completed');
    expect(await stream.next()).toBeNull();
  });
});

/* What takes seconds and concerns no store. */
describe.each(ADAPTERS)('A long stream of events, on %s', (stack) => {
  it('is followed by the eventsource package through a lost connection, without repeats', async () => {
    const { app, held, job, context } = await startHeld(stack);
    const requests: (string | null)[] = [];
    const source = new EventSource(`http://127.0.0.1:${app.port}${job.links.events}`, {
      fetch: (url, init) => {
        requests.push(new Headers(init.headers).get('last-event-id')?.split('-')[0] ?? null);
        return fetch(url, init);
      },
    });
    onTestFinished(() => source.close());
    const seen: string[] = [];
    const first = new Gate();
    const listen = (event: MessageEvent) => {
      seen.push(`${event.type} ${Number.parseInt(event.lastEventId, 10)}`);
      first.open();
    };
    source.addEventListener('status', listen);
    source.addEventListener('progress', listen);
    await first.opened;
    (app.nest.getHttpServer() as Server).closeAllConnections();
    await context.progress(0.5);
    await eventually(() => seen.length === 2);
    held.finish.open({ text: '' });
    // The server's 204 to the third connection: the client will not come again.
    await eventually(() => source.readyState === source.CLOSED, 15_000);
    expect(seen).toEqual(['status 2', 'status 3', 'status 4']);
    expect(requests).toEqual([null, '2', '4']);
  });

  it('sends a comment with the id every http.keepAliveMs without events', async () => {
    const { app, job } = await startAccepting(stack, { keepAliveMs: 1_000 });
    const stream = await EventStream.open(app, job.links.events);
    const { id } = (await stream.next()) as ReceivedEvent;
    expect(id).toMatch(/^1-/);
    expect(await stream.next()).toEqual({ id, comment: 'alive' });
    expect(await stream.next()).toEqual({ id, comment: 'alive' });
  });
});
