import type { JobStore } from 'nestjs-async-endpoints';
import { MemoryJobStore } from './built.js';
import { ADAPTERS, startDashboard } from './dashboard-app.js';
import { firstMessage, getJson, openStream, post } from './requests.js';

interface Snapshot {
  at: number;
  unavailable?: boolean;
  history: { names: Record<string, { completed: number[]; failed: number[] }> };
}

describe.each(ADAPTERS)('The streams of the dashboard on %s', (adapter) => {
  it('of fifty tabs read the store once for every two seconds, never while nobody looks, and end with the application', async () => {
    const store: JobStore = new MemoryJobStore();
    let calls = 0;
    const stats = store.stats.bind(store);
    const app = await startDashboard(adapter, store);
    store.stats = () => {
      calls++;
      return stats();
    };
    await getJson(app, '/api/jobs');
    expect(calls).toBe(0);
    const streams = await Promise.all(Array.from({ length: 50 }, () => openStream(app, '/api/stream')));
    for (let round = 1; round <= 2; round++) {
      await Promise.all(streams.map((stream) => stream.next()));
      expect(calls).toBe(round);
    }
    await app.nest.close();
  });

  it('tell at once what an action has changed', async () => {
    const app = await startDashboard(adapter, new MemoryJobStore());
    const stream = await openStream(app, '/api/stream');
    await stream.next();
    await post(app, { operation: 'pause', targets: ['Echo'] });
    expect(await stream.next()).toContain('"pausedBy":"anna"');
    await stream.cancel();
  });

  it('say that the store does not answer, and go on when it does', async () => {
    const store: JobStore = new MemoryJobStore();
    const stats = store.stats.bind(store);
    const app = await startDashboard(adapter, store);
    store.stats = () => Promise.reject(new Error('away'));
    const stream = await openStream(app, '/api/stream');
    expect(await stream.next()).toContain('"unavailable":true');
    store.stats = stats;
    expect(await stream.next()).toContain('"history"');
    await stream.cancel();
  });

  it('follow a job from its end into its next life', async () => {
    const app = await startDashboard(adapter, new MemoryJobStore());
    const { id } = await app.jobs.waitFor((await app.jobs.submit('Echo', { fail: 'no' })).id);
    await app.jobs.pause('Echo');
    const stream = await openStream(app, `/api/jobs/${id}/stream`);
    expect(await stream.next()).toContain('"Failed"');
    await app.jobs.rerun(id);
    expect(await stream.next()).toContain('"Queued"');
    await app.jobs.cancel(id);
    expect(await stream.next()).toContain('"Canceled"');
    await stream.cancel();
  });

  it('show what each worker runs', async () => {
    const app = await startDashboard(adapter, new MemoryJobStore());
    const { id } = await app.jobs.submit('Slow', {});
    await vi.waitUntil(async () => (await app.jobs.find(id))?.status === 'InProgress');
    const text = await firstMessage(app, '/api/workers/stream');
    const { workers } = JSON.parse(text) as { workers: unknown[] };
    expect(workers).toMatchObject([
      { used: 1, running: [{ id, name: 'Slow' }], names: expect.arrayContaining(['Echo']) },
    ]);
  });

  it('count what has ended in the workers, also before anybody looks', async () => {
    const app = await startDashboard(adapter, new MemoryJobStore(), { sweepIntervalMs: 50 });
    await app.jobs.waitFor((await app.jobs.submit('Echo', {})).id);
    await app.jobs.waitFor((await app.jobs.submit('Echo', { fail: 'no' })).id);
    const sum = (counts: readonly number[] = []) => counts.reduce((a, b) => a + b, 0);
    await vi.waitUntil(async () => {
      const { history } = JSON.parse(await firstMessage(app, '/api/stream')) as Snapshot;
      const { completed, failed } = history.names['Echo'] ?? {};
      return sum(completed) === 1 && sum(failed) === 1;
    });
  });
});
