import type { HttpRequest, JobRecord } from 'nestjs-async-endpoints';
import type { Answer } from './answer.js';
import { ReportsController, UNKNOWN_ID } from './reports.js';
import { type RunningApp, STACKS, type StackName, startApp } from './start-app.js';
import { type WatchedStore, watchedStoreOf } from './watched-store.js';

const ANN = { 'X-User': 'ann' };
const BOB = { 'X-User': 'bob' };
const BEES = { title: 'Bees' };

async function startOwned(stack: StackName) {
  const store = await watchedStoreOf(stack);
  const owner = ({ headers }: HttpRequest) => (headers['x-user'] as string | undefined) ?? null;
  const http = { owner, maxWaitMs: 600_000 };
  const app = await startApp(stack, { controllers: [ReportsController], options: { role: 'api', store, http } });
  return { app, store };
}

/** What a client, and whoever looks at the store's clock, could tell one answer from another by. */
async function learnt(app: RunningApp, store: WatchedStore, id: string, ask: () => Promise<Answer>) {
  store.calls.length = 0;
  const { status, text, headers } = await ask();
  // Express makes an ETag of its own from the body's bytes, and so of the id.
  const shown = [...headers]
    .filter(([name]) => name !== 'date')
    .map(([name, value]) => (name === 'etag' && value.startsWith('W/') ? name : `${name}: ${value}`))
    .toSorted();
  expect(app.log.text).not.toContain(id);
  return { status, text: text.replaceAll(id, '<id>'), headers: shown, calls: [...store.calls] };
}

describe.each(STACKS)('A job of another owner, on %s', (stack) => {
  const conditions: [string, Record<string, string>][] = [
    ['plainly', {}],
    ['waiting', { Prefer: 'respond-async, wait=600' }],
    ['waiting for news', { Prefer: 'wait=600', 'If-None-Match': '"1-1"' }],
    ['if any', { 'If-None-Match': '*' }],
    ['from where it left off', { 'Last-Event-ID': '1', Accept: 'text/event-stream' }],
  ];

  it.each(conditions)(
    'gets the same response as an unknown id on every route, and is not read, for %s',
    async (_how, how) => {
      const { app, store } = await startOwned(stack);
      const queued = (await app.post('/reports', BEES, ANN)).job.id;
      const ended = (await app.post('/reports', BEES, ANN)).job.id;
      await app.delete(`/jobs/${ended}`, ANN);
      const read: (JobRecord | null)[] = [];
      store.onRead = (_ids, found) => read.push(...found);
      for (const method of ['GET', 'HEAD', 'DELETE', 'POST', 'PUT', 'OPTIONS']) {
        for (const route of ['', '/result', '/events', '/rerun']) {
          const ask = (id: string) =>
            learnt(app, store, id, () => app.send(method, `/jobs/${id}${route}`, { headers: { ...BOB, ...how } }));
          const unknown = await ask(UNKNOWN_ID);
          expect(unknown.status).toBe(404);
          expect(await ask(queued)).toEqual(unknown);
          expect(await ask(ended)).toEqual(unknown);
        }
      }
      expect(read.length).toBeGreaterThan(0);
      expect(read.filter((job) => job !== null)).toEqual([]); // nothing of another's record left the store
      expect(store.begun).toBe(0);
      expect((await app.jobs.find(queued))?.status).toBe('Queued');
    },
  );

  it('has an id that reveals no more to a submission than a job of the same owner with another payload', async () => {
    const { app, store } = await startOwned(stack);
    const theirs = (await app.post('/reports', BEES, ANN)).job.id;
    const own = (await app.post('/reports', { title: 'Wasps' }, { ...BOB, 'X-Async-Request-Id': UNKNOWN_ID })).job.id;
    await app.delete(`/jobs/${theirs}`, ANN);
    const submit = (id: string) =>
      learnt(app, store, id, () => app.post('/reports', BEES, { ...BOB, 'X-Async-Request-Id': id }));
    const conflict = await submit(own);
    expect(conflict.status).toBe(409);
    expect(await submit(theirs)).toEqual(conflict);
    expect(await app.all()).toHaveLength(2);
  });

  it('has an idempotency key that is unused for others', async () => {
    const { app, store } = await startOwned(stack);
    const submit = async (key: string, headers: Record<string, string>) => {
      const answer = await app.post('/reports', BEES, { ...headers, 'Idempotency-Key': key });
      return { ...(await learnt(app, store, answer.job.id, async () => answer)), id: answer.job.id };
    };
    const theirs = await submit('order-7', ANN);
    store.calls.length = 0;
    const unused = await app.post('/reports', BEES, { ...BOB, 'Idempotency-Key': 'order-8' });
    const callsOfUnused = store.calls.splice(0);
    const foreign = await app.post('/reports', BEES, { ...BOB, 'Idempotency-Key': 'order-7' });
    const shape = ({ status, headers, job }: Answer) => [status, [...headers.keys()].toSorted(), Object.keys(job)];
    expect(shape(foreign)).toEqual(shape(unused));
    expect(foreign.header('Idempotency-Replayed')).toBeNull();
    expect(store.calls).toEqual(callsOfUnused);
    expect(foreign.job.id).not.toBe(theirs.id);
  });
});
