import { setImmediate } from 'node:timers/promises';
import { eventually } from 'nestjs-async-endpoints/testing';
import { Gate } from './gate.js';
import { STACKS } from './start-app.js';
import type { WatchedStore } from './watched-store.js';
import { BEES, sendAndLeave, startAccepting, startHeld, WAIT } from './waiting.js';

describe.each(STACKS)('A wait, on %s', (stack) => {
  it('does not miss a job that ends between subscribing and reading', async () => {
    const { app, store, job } = await startAccepting(stack);
    store.onWatched = (id) => store.cancel([id]);
    expect((await app.get(job.links.self, WAIT)).job.status).toBe('Canceled');
    expect((await app.post('/reports', BEES, WAIT)).job.status).toBe('Canceled');
  });

  it.each([1, 2])('does not miss a job that ends after read %i was sent and before its reply', async (read) => {
    const { app, store, job } = await startAccepting(stack);
    store.onRead = ([id]) => (store.reads === read ? store.cancel([id as string]) : null);
    expect((await app.get(job.links.self, WAIT)).job.status).toBe('Canceled');
  });

  it('of a submission does not miss the end of its job', async () => {
    const { app, store } = await startAccepting(stack);
    store.onRead = ([id]) => (store.reads === 1 ? store.cancel([id as string]) : null);
    expect((await app.post('/reports', BEES, WAIT)).job.status).toBe('Canceled');
  });

  it('makes no store call while nothing changes, and one per change for any number of waits', async () => {
    const { app, store, job } = await startAccepting(stack);
    let arrived = 0;
    app.nest.getHttpServer().on('request', () => arrived++);
    const http = Array.from({ length: 100 }, () => app.get(job.links.self, WAIT));
    await eventually(() => arrived === 100);
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

  it('of one client continues when that of another ends', async () => {
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

  it('ends when the last client disconnects', async () => {
    const { app, store, job } = await startAccepting(stack);
    const leave = [sendAndLeave(app, 'GET', job.links.result), sendAndLeave(app, 'HEAD', job.links.self)];
    await eventually(() => store.reads >= 3 && store.watching === 1);
    leave[0]?.();
    leave[1]?.();
    await eventually(() => store.watching === 0);
  });

  it('ends at the shutdown with the current state, and does not delay it', async () => {
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

  it('returns the result of a job that ends while the application drains', async () => {
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
    // A reading that the last one asked for is on its way at the end of the next turn.
    await setImmediate();
    await setImmediate();
    if (store.reading === 0 && store.reads === before) return before;
  }
}
