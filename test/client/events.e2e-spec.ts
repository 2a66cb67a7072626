import { eventually } from 'nestjs-async-endpoints/testing';
import type { JobState } from 'nestjs-async-endpoints/client';
import { Report, ReportHandler, type ReportResult, ReportsController, UNKNOWN_ID } from '../http/reports.js';
import { ADAPTERS, type AdapterName, startApp } from '../http/start-app.js';
import { watchedStoreOf } from '../http/watched-store.js';
import { clientOf, urlOf } from './client-of.js';
import { startHeld } from './start-held.js';
import { TcpProxy } from '../tcp-proxy.js';

const BEES = { title: 'Bees' };

/** A job in progress that goes on when the test says so, followed through a proxy. */
async function startFollowed(adapter: AdapterName) {
  const { app, store, held } = await startHeld(adapter);
  const proxy = await TcpProxy.to(app.port);
  const client = clientOf(proxy.url);
  const job = await client.submit(Report, BEES);
  const context = await held.started.opened;
  return { app, store, held, proxy, client, job, context };
}

type States = AsyncIterator<JobState<ReportResult>, void>;

async function next(states: States): Promise<JobState<ReportResult> | null> {
  const { done, value } = await states.next();
  return done === true ? null : value;
}

const brief = (state: JobState | null) => state && [state.status, state.progress?.fraction ?? null];

describe.each(ADAPTERS)('The events of a job, on %s', (adapter) => {
  it('are the current state of the job, its progress and its end', async () => {
    const { store, held, proxy, job, context } = await startFollowed(adapter);
    const seen: unknown[] = [];
    for await (const state of job.events()) {
      expectTypeOf(state).toEqualTypeOf<JobState<ReportResult>>();
      seen.push(brief(state));
      expect(job.state).toBe(state);
      if (seen.length === 1) await context.progress(0.5);
      if (seen.length === 2) held.finish.open({ text: 'About Bees' });
    }
    expect(seen).toEqual([
      ['InProgress', null],
      ['InProgress', 0.5],
      ['Completed', 0.5],
    ]);
    expect(await job.wait()).toEqual({ text: 'About Bees' });
    expect(proxy.received.match(/GET /g)).toHaveLength(1);
    await eventually(() => store.watching === 0);
  });

  it('continue after the stream was cut', async () => {
    const { store, held, proxy, job, context } = await startFollowed(adapter);
    const states = job.events();
    expect(brief(await next(states))).toEqual(['InProgress', null]);
    proxy.cut();
    const later = next(states);
    await eventually(() => /last-event-id: 2-\w+\r/i.test(proxy.received) && store.watching === 1);
    await context.progress(0.7);
    expect(brief(await later)).toEqual(['InProgress', 0.7]);
    held.finish.open({ text: '' });
    expect(brief(await next(states))).toEqual(['Completed', 0.7]);
    expect(await next(states)).toBeNull();
  });

  it('continue at another server', async () => {
    const store = await watchedStoreOf(adapter);
    const controllers = [ReportsController];
    const first = await startApp(adapter, { controllers, options: { role: 'api', store } });
    const proxy = await TcpProxy.to(first.port);
    const job = await clientOf(proxy.url).submit(Report, BEES);
    const states = job.events();
    expect(brief(await next(states))).toEqual(['Queued', null]);
    const later = next(states);
    const second = await startApp(adapter, { controllers, options: { role: 'api', store } });
    proxy.target = second.port;
    await first.close();
    await eventually(() => /last-event-id/i.test(proxy.received) && store.watching === 1);
    await second.jobs.cancel(job.id);
    expect(brief(await later)).toEqual(['Canceled', null]);
    expect(await next(states)).toBeNull();
  });

  it('are polled when there is no stream, or when no data arrives', async () => {
    const { app, held, job, context } = await startFollowed(adapter);
    await context.progress(0.2);
    const asked: string[] = [];
    for (const stream of [
      async () => new Response('', { status: 405 }),
      async () => new Response(new ReadableStream(), { headers: { 'content-type': 'text/event-stream' } }),
    ]) {
      const client = clientOf(urlOf(app), {
        streamIdleMs: 20,
        fetch: (url, init) => {
          asked.push(new URL(url).pathname);
          return url.endsWith('/events') ? stream() : fetch(url, init);
        },
      });
      const states = client.job(Report, job.id).events();
      expect(brief(await next(states))?.[0]).toBe('InProgress');
      await states.return?.();
    }
    expect(asked).toEqual(['events', 'self', 'events', 'self'].map((link) => job.state?.links[link as 'self']));
    held.finish.open({ text: '' });
  });

  it('end at once when the loop is left, even during a wait, or when the signal is aborted', async () => {
    const { store, held, job } = await startFollowed(adapter);
    const states = job.events();
    await next(states);
    const pending = states.next();
    await eventually(() => store.watching === 1);
    await states.return?.();
    expect(await pending).toEqual({ done: true, value: undefined });
    await eventually(() => store.watching === 0);

    for await (const _ of job.events()) break;
    await eventually(() => store.watching === 0);

    const leaving = new AbortController();
    const aborted = job.events({ signal: leaving.signal });
    await next(aborted);
    const refused = aborted.next().catch((error: unknown) => error);
    leaving.abort('enough');
    expect(await refused).toBe('enough');
    await eventually(() => store.watching === 0);
    held.finish.open({ text: '' });
  });

  it('of an unknown job are refused, and of a terminal job are its end', async () => {
    const app = await startApp(adapter, { controllers: [ReportsController], providers: [ReportHandler] });
    const client = clientOf(urlOf(app));
    await expect(client.job(Report, UNKNOWN_ID).events().next()).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
    const { id } = await client.submit(Report, BEES, { waitMs: 20_000 });
    const states: unknown[] = [];
    for await (const state of client.job(Report, id).events()) states.push(state.status);
    expect(states).toEqual(['Completed']);
  });
});
