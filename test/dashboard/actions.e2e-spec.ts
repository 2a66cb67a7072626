import { MemoryJobStore } from './built.js';
import { ADAPTERS, startDashboard } from './dashboard-app.js';
import { get, getJson, post } from './requests.js';
import { storeOf, STORES } from './stores.js';

const pause = { operation: 'pause', targets: ['Echo'] };

interface Step {
  changed: number;
  seen: number;
  cursor: string | null;
}

describe.each(ADAPTERS)('An action on %s', (adapter) => {
  it('is refused when it comes from another site, without the header, without JSON, or from a reader', async () => {
    const app = await startDashboard(adapter, new MemoryJobStore());
    for (const site of ['cross-site', 'same-site', 'none']) {
      expect((await post(app, pause, { 'sec-fetch-site': site })).status).toBe(403);
    }
    expect((await post(app, pause, { 'x-async-endpoints-dashboard': '' })).status).toBe(403);
    expect((await post(app, pause, { 'content-type': 'text/plain' })).status).toBeGreaterThanOrEqual(400);
    const reader = await startDashboard(adapter, new MemoryJobStore(), { options: { access: () => 'read' } });
    const { id } = await reader.jobs.submit('Slow', {}, { delayMs: 60_000 });
    for (const operation of ['pause', 'resume', 'cancel', 'rerun', 'trigger', 'pause-schedule', 'resume-schedule']) {
      expect([operation, (await post(reader, { operation, targets: [id] })).status]).toEqual([operation, 403]);
      expect([operation, (await post(reader, { operation, filter: {} })).status]).toEqual([operation, 403]);
    }
    expect((await get(reader, '/api/jobs')).status).toBe(200);
    expect((await reader.jobs.find(id))?.status).toBe('Scheduled');
    expect([...(await app.jobs.paused()), ...(await reader.jobs.paused())]).toEqual([]);
  });

  it('is logged: what, on how many, by whom', async () => {
    const app = await startDashboard(adapter, new MemoryJobStore());
    expect(await (await post(app, pause)).json()).toEqual({ changed: 1, seen: 1, cursor: null });
    expect(await app.jobs.paused()).toMatchObject([{ name: 'Echo', pausedBy: 'anna' }]);
    expect(app.log).toContain('pause of "Echo" by "anna": 1 changed');
    await app.jobs.submit('Echo', {});
    await post(app, { operation: 'cancel', filter: { name: 'Echo' } });
    expect(app.log).toContain('cancel of 1 jobs by "anna": 1 changed');
  });

  it.each([
    ['an unknown operation', { operation: 'drop', targets: ['Echo'] }],
    ['more than 1,000 targets', { operation: 'cancel', targets: Array<string>(1_001).fill('x') }],
    ['no targets', { operation: 'cancel', targets: [] }],
    ['targets that are no texts', { operation: 'cancel', targets: [{}] }],
    ['neither targets nor a filter', { operation: 'cancel' }],
    ['a filter that is none', { operation: 'cancel', filter: 'all' }],
    ['a status that is none', { operation: 'cancel', filter: { status: 'Lost' } }],
    ['two names', { operation: 'cancel', filter: { name: ['Echo'] } }],
    ['a made-up cursor', { operation: 'cancel', filter: { cursor: 'made up' } }],
    ['queues without targets', { operation: 'pause', filter: {} }],
    ['schedules without targets', { operation: 'trigger', filter: {} }],
    ['null', null],
  ])('is 400 for %s, and changes nothing', async (_what, body) => {
    const app = await startDashboard(adapter, new MemoryJobStore());
    const { id } = await app.jobs.submit('Echo', {}, { delayMs: 60_000 });
    expect((await post(app, body)).status).toBe(400);
    expect((await app.jobs.find(id))?.status).toBe('Scheduled');
  });

  it('counts only the jobs that it changed', async () => {
    const app = await startDashboard(adapter, new MemoryJobStore());
    await app.jobs.pause('Echo');
    const jobs = await Promise.all(Array.from({ length: 3 }, () => app.jobs.submit('Echo', {})));
    const targets = jobs.map(({ id }) => id);
    await app.jobs.cancel(targets[0]!);
    const unknown = '01a21bf1-e3c8-7df8-a9f5-6faf1a6b5175';
    const cancel = await post(app, { operation: 'cancel', targets: [...targets, unknown, 'no id'] });
    expect(await cancel.json()).toMatchObject({ changed: 2, seen: 5 });
    expect(await (await post(app, { operation: 'rerun', targets })).json()).toMatchObject({ changed: 3 });
  });
});

describe.each(STORES)('An action on all jobs that match, on %s', (store) => {
  it('takes at most 1,000 in each step, after they were counted', async () => {
    const app = await startDashboard('Fastify', await storeOf(store));
    await app.jobs.pause('Echo');
    await Promise.all(
      Array.from({ length: 2_100 }, (_, n) => app.jobs.submit('Echo', {}, { owner: n < 1_100 ? 'acme' : 'other' })),
    );
    const filter = { name: 'Echo', owner: 'acme' };
    expect(await getJson(app, '/api/count?name=Echo')).toEqual({ count: 2_100, cursor: null });
    let [counted, cursor]: [number, string | null] = [0, ''];
    for (; cursor !== null;) {
      const query = new URLSearchParams(cursor === '' ? filter : { ...filter, cursor });
      const step: { count: number; cursor: string | null } = await getJson(app, `/api/count?${query.toString()}`);
      expect(step.count).toBeLessThanOrEqual(1_000);
      counted += step.count;
      ({ cursor } = step);
    }
    expect(counted).toBe(1_100);
    const steps: Step[] = [];
    for (cursor = ''; cursor !== null;) {
      const body = { operation: 'cancel', filter: cursor === '' ? filter : { ...filter, cursor } };
      const step = (await (await post(app, body)).json()) as Step;
      expect(step.seen).toBeLessThanOrEqual(1_000);
      steps.push(step);
      ({ cursor } = step);
    }
    expect(steps.reduce((sum, { changed }) => sum + changed, 0)).toBe(1_100);
    expect(await getJson(app, '/api/count?status=Canceled')).toMatchObject({ count: 1_100 });
    expect(await getJson(app, '/api/count?status=Queued')).toMatchObject({ count: 1_000 });
  });
});
