import type { Job } from 'nestjs-async-endpoints';
import { MemoryJobStore } from './built.js';
import { ADAPTERS, startDashboard } from './dashboard-app.js';
import { get, getJson, firstMessage, post } from './requests.js';
import { storeOf, STORES } from './stores.js';

const MASK = '••••••';

describe.each(ADAPTERS)('What a visitor sees on %s', (adapter) => {
  it('has credentials masked, and what redact replaces or fails on', async () => {
    const redact = (path: readonly string[], value: unknown) => {
      if (path.at(-1) === 'broken') throw new Error('secret');
      return path.at(-1) === 'email' ? 'hidden' : value;
    };
    const app = await startDashboard(adapter, new MemoryJobStore(), { options: { show: { redact } } });
    const result = { apiKey: 'k', list: [{ password: 'p', email: 'a@b.c', total: 3, broken: 1 }] };
    const { id } = await app.jobs.waitFor((await app.jobs.submit('Echo', { result })).id);
    const shown = { apiKey: MASK, list: [{ password: MASK, email: 'hidden', total: 3, broken: MASK }] };
    expect(await getJson(app, `/api/jobs/${id}`)).toMatchObject({ result: shown });
    expect(await firstMessage(app, `/api/jobs/${id}/stream`)).toContain(JSON.stringify(shown));
    const failed = await app.jobs.waitFor((await app.jobs.submit('Echo', { fail: 'no', ...result })).id);
    expect(await getJson(app, `/api/jobs/${failed.id}/payload`)).toMatchObject({ payload: shown });
    const { error } = await getJson<Job>(app, `/api/jobs/${failed.id}`);
    expect(error?.details).toEqual({ password: MASK, host: 'db' });
  });

  it('can be neither payload nor result', async () => {
    const app = await startDashboard(adapter, new MemoryJobStore(), {
      options: { show: { payload: false, result: false } },
    });
    const done = await app.jobs.waitFor((await app.jobs.submit('Echo', { result: 'private' })).id);
    const failed = await app.jobs.waitFor((await app.jobs.submit('Echo', { fail: 'no', text: 'private' })).id);
    for (const { id } of [done, failed]) {
      for (const path of ['', '/payload'])
        expect(await (await get(app, `/api/jobs/${id}${path}`)).text()).not.toContain('private');
      expect(await firstMessage(app, `/api/jobs/${id}/stream`)).not.toContain('private');
    }
    expect(await (await get(app, '/api/jobs')).text()).not.toContain('private');
    expect((await getJson<Job>(app, `/api/jobs/${failed.id}`)).error).not.toHaveProperty('details');
  });

  it('has the captured headers of the request', async () => {
    const app = await startDashboard(adapter, new MemoryJobStore());
    await app.jobs.pause('Echo');
    const headers = { 'user-agent': 'robot', authorization: 'Bearer secret' };
    const { headers: sent } = await fetch(`${app.url}/echo`, { method: 'POST', headers });
    const id = sent.get('location')?.split('/').at(-1);
    const text = await (await get(app, `/api/jobs/${id}/payload`)).text();
    expect(JSON.parse(text)).toMatchObject({
      payload: { total: 3 },
      headers: expect.arrayContaining([['user-agent', 'robot']]),
    });
    expect(text).not.toContain('secret');
  });

  it('is nothing for a request for which the application forgot to name an owner or an access', async () => {
    for (const options of [
      { owner: () => undefined as never },
      { access: () => undefined as never },
      { access: () => 'none' as const },
    ]) {
      const app = await startDashboard(adapter, new MemoryJobStore(), { options });
      for (const path of ['', '/api/jobs', '/api/count', '/api/stream', '/api/visitor']) {
        expect([path, (await get(app, path)).status]).toEqual([path, 403]);
      }
    }
  });
});

describe.each(STORES)('An owner sees and changes only their jobs on %s', (store) => {
  it('on every route', async () => {
    const whose: { owner: string | null } = { owner: 'acme' };
    const app = await startDashboard('Fastify', await storeOf(store), { options: { owner: () => whose.owner } });
    await app.jobs.pause('Echo');
    await app.jobs.schedules.upsert('daily', 'Echo', { cron: '@daily', owner: 'acme' });
    const mine = await app.jobs.submit('Echo', { text: 'added by the application' }, { owner: 'acme' });
    const other = await app.jobs.submit('Echo', {}, { owner: 'other' });
    const listed = (query: string) => getJson<{ jobs: Job[] }>(app, `/api/jobs?${query}`);
    for (const query of ['', 'owner=other', 'owner=', 'status=Queued&owner=other']) {
      expect((await listed(query)).jobs.map(({ id }) => id)).toEqual([mine.id]);
      expect(await getJson(app, `/api/count?${query}`)).toMatchObject({ count: 1 });
    }
    expect((await get(app, '/api/jobs?name=Echo&name=Slow')).status).toBe(400);
    for (const path of ['', '/payload', '/stream']) {
      expect([path, (await get(app, `/api/jobs/${other.id}${path}`)).status]).toEqual([path, 404]);
    }
    for (const path of ['/api/stream', '/api/workers/stream', '/api/schedules']) {
      expect([path, (await get(app, path)).status]).toEqual([path, 403]);
    }
    for (const operation of ['pause', 'resume', 'trigger', 'pause-schedule', 'resume-schedule']) {
      expect([operation, (await post(app, { operation, targets: ['daily'] })).status]).toEqual([operation, 403]);
    }
    expect(await getJson(app, `/api/jobs/${mine.id}/payload`)).toEqual({});
    const cancel = { operation: 'cancel', targets: [mine.id, other.id] };
    expect(await (await post(app, cancel)).json()).toMatchObject({ changed: 1 });
    expect(await (await post(app, { operation: 'rerun', targets: [mine.id] })).json()).toMatchObject({ changed: 1 });
    for (const filter of [{}, { owner: 'other' }, { owner: '' }]) {
      expect(await (await post(app, { operation: 'cancel', filter })).json()).toMatchObject({ seen: 1 });
    }
    expect((await app.jobs.find(mine.id))?.status).toBe('Canceled');
    expect((await app.jobs.find(other.id))?.status).toBe('Queued');
  });

  it('and neither workers nor the messages of internal errors, which an operator sees', async () => {
    const whose: { owner: string | null } = { owner: 'acme' };
    const app = await startDashboard('Express', await storeOf(store), { options: { owner: () => whose.owner } });
    const { id } = await app.jobs.submit('Echo', { crash: 'ECONNREFUSED db-1' }, { owner: 'acme', maxRetries: 0 });
    const { worker } = (await app.jobs.waitFor(id)).failedAttempts[0]!;
    const shown = async () => {
      const texts = ['/api/jobs', `/api/jobs/${id}`].map(async (path) => (await get(app, path)).text());
      return (await Promise.all([...texts, firstMessage(app, `/api/jobs/${id}/stream`)])).join('\n');
    };
    const text = await shown();
    expect(text).toContain('Failed');
    expect(text).not.toContain('ECONNREFUSED');
    expect(text).not.toContain(worker);
    whose.owner = null;
    expect(await shown()).toContain('ECONNREFUSED');
  });
});
