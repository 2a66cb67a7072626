import { PermanentJobError } from 'nestjs-async-endpoints';
import { eventually } from 'nestjs-async-endpoints/testing';
import { Gate } from '../http/gate.js';
import {
  ACCEPTING,
  handlerOf,
  Report,
  ReportHandler,
  type ReportResult,
  ReportsController,
  UNKNOWN_ID,
} from '../http/reports.js';
import { ADAPTERS, type AdapterName, type AppParts, startApp } from '../http/start-app.js';
import { watchedStoreOf } from '../http/watched-store.js';
import { clientOf, urlOf } from './client-of.js';
import { startHeld } from './start-held.js';
import { TcpProxy } from '../tcp-proxy.js';

const BEES = { title: 'Bees' };
const controllers = [ReportsController];

/** An application whose jobs stay queued, and a client of it. */
async function startAccepting(adapter: AdapterName, options: AppParts['options'] = {}) {
  const store = await watchedStoreOf(adapter);
  const app = await startApp(adapter, { ...ACCEPTING, options: { role: 'api', store, ...options } });
  return { app, store, client: clientOf(urlOf(app)) };
}

describe.each(ADAPTERS)('The client, on %s', (adapter) => {
  it('submits a job and waits for its result, with the type of the definition', async () => {
    const { app, store, held } = await startHeld(adapter);
    const client = clientOf(urlOf(app));
    const job = await client.submit(Report, BEES);
    expect(['Queued', 'InProgress']).toContain(job.state?.status);
    const context = await held.started.opened;
    const waiting = job.wait({ timeoutMs: 20_000 });
    await eventually(() => store.watching === 1);
    await context.progress(0.5, 'half way');
    await eventually(() => job.state?.progress?.fraction === 0.5);
    held.finish.open({ text: 'About Bees' });
    const result = await waiting;

    expectTypeOf(result).toEqualTypeOf<ReportResult>();
    expect(result).toEqual({ text: 'About Bees' });
    expect(job.state).toMatchObject({ id: job.id, status: 'Completed', result });
    expect(await job.wait()).toEqual(result);
    await eventually(() => store.watching === 0);
  });

  it('gets the terminal job when the server may hold the response', async () => {
    const app = await startApp(adapter, { controllers, providers: [ReportHandler] });
    const job = await clientOf(urlOf(app)).submit(Report, BEES, { waitMs: 20_000 });
    expect(job.state).toMatchObject({ status: 'Completed', result: { text: 'About Bees' } });
  });

  it('works below a prefix and a version, and sends its headers', async () => {
    const app = await startApp(adapter, {
      controllers,
      providers: [ReportHandler],
      options: { http: { owner: ({ headers }) => String(headers['x-user']) } },
      configure: (nest) => nest.setGlobalPrefix('gateway'),
    });
    const client = clientOf(`${urlOf(app)}/gateway`, { headers: { 'X-User': 'ann' } });
    const job = await client.submit(Report, BEES);
    expect(await client.job(Report, job.id).wait()).toEqual({ text: 'About Bees' });
    const bob = clientOf(`${urlOf(app)}/gateway`, { headers: { 'X-User': 'bob' } });
    await expect(bob.job(Report, job.id).wait()).rejects.toMatchObject({ code: 'JOB_NOT_FOUND', status: 404 });
  });

  it('throws the error of a failed job', async () => {
    const Handler = handlerOf(Report, () => {
      throw new PermanentJobError('No ink', { code: 'NO_INK', details: { colour: 'blue' } });
    });
    const app = await startApp(adapter, { controllers, providers: [Handler] });
    const job = await clientOf(urlOf(app)).submit(Report, BEES);
    const failure = { name: 'JobFailedError', code: 'NO_INK', message: 'No ink', details: { colour: 'blue' } };
    await expect(job.wait()).rejects.toMatchObject(failure);
    const refusal = { name: 'AsyncEndpointsProblem', code: 'JOB_ALREADY_FINISHED', status: 409 };
    await expect(job.cancel()).rejects.toMatchObject(refusal);
  });

  it('cancels a job, which ends other waits for it', async () => {
    const { store, client } = await startAccepting(adapter);
    const job = await client.submit(Report, BEES);
    const waiting = job.wait().catch((error: unknown) => error);
    await eventually(() => store.watching === 1);
    const other = client.job(Report, job.id);
    expect((await other.cancel()).status).toBe('Canceled');
    expect((await other.cancel()).status).toBe('Canceled');
    expect(await waiting).toMatchObject({ name: 'JobCanceledError', code: 'JOB_CANCELED' });
  });

  it('finds a job again by its id or its location', async () => {
    const { app, held } = await startHeld(adapter);
    const client = clientOf(urlOf(app));
    const { id, location } = await client.submit(Report, BEES);
    for (const known of [id, location, new URL(location).pathname]) {
      const job = client.job(Report, known);
      expect([job.id, job.location, job.state]).toEqual([id, location, null]);
      expect((await job.refresh()).id).toBe(id);
    }
    held.finish.open({ text: 'later' });
    expect(await client.job(Report, location).wait()).toEqual({ text: 'later' });
    await expect(client.job(Report, UNKNOWN_ID).wait()).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  });

  it('creates one job from repeated submissions with one key or id', async () => {
    const { app, client } = await startAccepting(adapter);
    const first = await client.submit(Report, BEES, { idempotencyKey: 'bees "of" 2026\\'.replaceAll(' ', '_') });
    const again = await client.submit(Report, BEES, { idempotencyKey: 'bees_"of"_2026\\' });
    expect([again.id, first.isReplay, again.isReplay]).toEqual([first.id, false, true]);
    const named = await client.submit(Report, BEES, { requestId: UNKNOWN_ID });
    expect([named.id, (await client.submit(Report, BEES, { requestId: UNKNOWN_ID })).isReplay]).toEqual([
      UNKNOWN_ID,
      true,
    ]);
    expect(await app.all()).toHaveLength(2);
    const conflict = client.submit(Report, { title: 'Wasps' }, { requestId: UNKNOWN_ID });
    await expect(conflict).rejects.toMatchObject({ code: 'REQUEST_ID_CONFLICT', status: 409 });
  });

  it('creates one job when the first responses are lost', async () => {
    const { app, client: direct } = await startAccepting(adapter);
    const proxy = await TcpProxy.to(app.port);
    proxy.answersToLose = 2;
    const job = await clientOf(proxy.url).submit(Report, BEES);
    expect(proxy.received.match(/POST \/reports/g)).toHaveLength(3);
    expect((await app.all()).map(({ id }) => id)).toEqual([job.id]);
    expect([job.isReplay, (await direct.submit(Report, BEES)).isReplay]).toEqual([true, false]);
  });

  it('continues a wait when the connection is cut or the server is replaced', async () => {
    const { app, store, client } = await startAccepting(adapter);
    const proxy = await TcpProxy.to(app.port);
    const waiting = clientOf(proxy.url)
      .job(Report, (await client.submit(Report, BEES)).id)
      .wait();
    await eventually(() => store.watching === 1);
    proxy.cut();
    await eventually(() => proxy.accepted >= 2 && store.watching === 1);
    const other = await startApp(adapter, { controllers, providers: [ReportHandler], options: { role: 'api', store } });
    proxy.target = other.port;
    proxy.cut();
    await eventually(() => proxy.open > 0 && store.watching === 1);
    await startApp(adapter, { providers: [ReportHandler], options: { role: 'worker', store } });
    expect(await waiting).toEqual({ text: 'About Bees' });
  });

  it('repeats a submission to a full queue after Retry-After', async () => {
    const { app, client } = await startAccepting(adapter, { jobs: { maxQueueSize: 1 } });
    const first = await client.submit(Report, BEES);
    const refusals: { at: number; retryAfter: string | null }[] = [];
    const refused = new Gate();
    const patient = clientOf(urlOf(app), {
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        if (response.status !== 503) return response;
        refusals.push({ at: performance.now(), retryAfter: response.headers.get('retry-after') });
        refused.open();
        return response;
      },
    });
    const submitting = patient.submit(Report, { title: 'Wasps' });
    await refused.opened;
    await first.cancel();
    const second = await submitting;
    expect(refusals.map(({ retryAfter }) => retryAfter)).toEqual(['1']);
    expect(performance.now() - (refusals[0]?.at ?? NaN)).toBeGreaterThan(990);
    expect((await app.all()).map(({ id, status }) => [id, status])).toContainEqual([second.id, 'Queued']);
  });

  it('leaves nothing open when a wait is aborted or times out, and the job continues', async () => {
    const { app, store } = await startAccepting(adapter);
    const proxy = await TcpProxy.to(app.port);
    const job = await clientOf(proxy.url).submit(Report, BEES);
    const leaving = new AbortController();
    const waiting = job.wait({ signal: leaving.signal }).catch((error: unknown) => error);
    await eventually(() => store.watching === 1);
    leaving.abort('enough');
    expect(await waiting).toBe('enough');
    await eventually(() => store.watching === 0);
    await expect(job.wait({ timeoutMs: 50 })).rejects.toMatchObject({ name: 'JobWaitTimeoutError', jobId: job.id });
    await eventually(() => store.watching === 0);
    expect((await job.refresh()).status).toBe('Queued');
    await expect(job.cancel({ signal: AbortSignal.abort('no') })).rejects.toBe('no');
    expect((await job.refresh()).status).toBe('Queued');
  });
});
