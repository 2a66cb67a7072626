import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { JobStore } from 'nestjs-async-endpoints';
import { AsyncDashboardModule, type DashboardApp, MemoryJobStore, startDashboard } from './dashboard-app.js';

const HEADERS = { 'content-type': 'application/json', 'x-async-endpoints-dashboard': '1' };

function post(app: DashboardApp, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const init = { method: 'POST', headers: { ...HEADERS, ...headers }, body: JSON.stringify(body) };
  return fetch(`${app.url}/admin/jobs/api/actions`, init);
}

async function startOn(adapter: 'Express' | 'Fastify', ...rest: [object?, Parameters<typeof startDashboard>[3]?]) {
  const app = await startDashboard(adapter, new MemoryJobStore(), ...rest);
  onTestFinished(() => app.nest.close());
  return app;
}

const pause = { operation: 'pause', targets: ['Echo'] };

describe('AsyncDashboardModule', () => {
  it('refuses to boot without guards, unless it is public', () => {
    expect(() => AsyncDashboardModule.forRoot({})).toThrow('The dashboard has no guards');
    expect(() => AsyncDashboardModule.forRoot({ public: true })).not.toThrow();
  });

  it('names an option that is wrong', () => {
    expect(() => AsyncDashboardModule.forRoot({ public: true, access: 'read' as never })).toThrow(
      'access of AsyncDashboardModule is read; expected a function.',
    );
  });

  it('is at most 40 kB gzipped in all', () => {
    const folder = new URL('../../libs/async-endpoints/dist/dashboard/page/', import.meta.url);
    const bytes = readdirSync(folder).map((file) => gzipSync(readFileSync(new URL(file, folder))).length);
    expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(40_000);
  });
});

describe.each(['Express', 'Fastify'] as const)('The dashboard on %s', (adapter) => {
  it('runs the guards for page, assets, data, streams and actions', async () => {
    const app = await startOn(adapter);
    for (const path of [
      '',
      '/assets/app.js',
      '/api/visitor',
      '/api/stream',
      '/api/jobs',
      '/api/schedules',
      '/api/jobs/x/stream',
    ]) {
      const { status } = await fetch(`${app.url}/admin/jobs${path}`, { headers: { 'x-key': 'wrong' } });
      expect([path, status]).toEqual([path, 403]);
    }
    expect((await post(app, pause, { 'x-key': 'wrong' })).status).toBe(403);
  });

  it('refuses an action of another site, without the header, or of a reader', async () => {
    const app = await startOn(adapter);
    expect((await post(app, pause, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await post(app, pause, { 'x-async-endpoints-dashboard': '' })).status).toBe(403);
    expect((await post(app, pause, { 'content-type': 'text/plain' })).status).toBeGreaterThanOrEqual(400);
    const reader = await startOn(adapter, { access: () => 'read' });
    expect((await post(reader, pause)).status).toBe(403);
    expect((await fetch(`${reader.url}/admin/jobs/api/jobs`)).status).toBe(200);
    expect([...(await app.jobs.paused()), ...(await reader.jobs.paused())]).toEqual([]);
  });

  it('logs who did what to how many', async () => {
    const app = await startOn(adapter);
    expect(await (await post(app, pause)).json()).toEqual({ changed: 1 });
    expect(await app.jobs.paused()).toMatchObject([{ name: 'Echo', pausedBy: 'anna' }]);
    expect(app.log).toContain('pause of "Echo" by "anna": 1 changed');
    expect((await post(app, { operation: 'drop', targets: ['Echo'] })).status).toBe(400);
    expect((await post(app, { operation: 'cancel', targets: Array<string>(1_001).fill('x') })).status).toBe(400);
  });

  it('replaces the content security policy of helmet, under a global prefix and versioning', async () => {
    const app = await startOn(adapter, {}, (nest) => {
      nest.use((_request: unknown, response: { setHeader(name: string, value: string): void }, next: () => void) => {
        response.setHeader('content-security-policy', "default-src 'none'");
        next();
      });
      nest.setGlobalPrefix('v');
      nest.enableVersioning();
    });
    const page = await fetch(`${app.url}/v/admin/jobs?x=1`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(await page.text()).toContain('src="jobs/assets/app.js"');
    expect((await fetch(`${app.url}/v/admin/jobs/assets/..%2findex.js`)).status).toBe(404);
  });

  it('masks credentials and what redact replaces', async () => {
    const redact = (path: readonly string[], value: unknown) => (path.at(-1) === 'email' ? 'hidden' : value);
    const app = await startOn(adapter, { show: { redact } });
    const result = { apiKey: 'k', list: [{ password: 'p', email: 'a@b.c', total: 3 }] };
    const { id } = await app.jobs.waitFor((await app.jobs.submit('Echo', { result })).id);
    const shown = (await (await fetch(`${app.url}/admin/jobs/api/jobs/${id}`)).json()) as { result: unknown };
    expect(shown.result).toEqual({ apiKey: '••••••', list: [{ password: '••••••', email: 'hidden', total: 3 }] });
  });

  it('shows and changes only the jobs of the owner', async () => {
    const app = await startOn(adapter, { owner: () => 'acme' });
    await app.jobs.pause('Echo');
    const mine = await app.jobs.submit('Echo', {}, { owner: 'acme' });
    const other = await app.jobs.submit('Echo', {}, { owner: 'other' });
    const list = (await (await fetch(`${app.url}/admin/jobs/api/jobs?owner=other`)).json()) as {
      jobs: { id: string }[];
    };
    expect(list.jobs.map(({ id }) => id)).toEqual([mine.id]);
    expect((await fetch(`${app.url}/admin/jobs/api/jobs/${other.id}`)).status).toBe(404);
    expect((await fetch(`${app.url}/admin/jobs/api/stream`)).status).toBe(403);
    expect((await post(app, pause)).status).toBe(403);
    const cancel = { operation: 'cancel', targets: [mine.id, other.id] };
    expect(await (await post(app, cancel)).json()).toEqual({ changed: 1 });
    expect((await app.jobs.find(other.id))?.status).toBe('Queued');
  });

  it('refuses a request for which the application forgot to name an owner or an access', async () => {
    for (const forgetful of [{ owner: () => undefined as never }, { access: () => undefined as never }]) {
      const app = await startOn(adapter, forgetful);
      for (const path of ['', '/api/jobs', '/api/stream', '/api/visitor']) {
        expect([path, (await fetch(`${app.url}/admin/jobs${path}`)).status]).toEqual([path, 403]);
      }
    }
  });

  it('shows schedules and lets act on them only who sees the jobs of all owners', async () => {
    const whose: { owner: string | null } = { owner: 'acme' };
    const app = await startOn(adapter, { owner: () => whose.owner });
    await app.jobs.schedules.upsert('daily', 'Echo', { cron: '@daily', owner: 'acme' });
    const trigger = { operation: 'trigger', targets: ['daily'] };
    expect((await fetch(`${app.url}/admin/jobs/api/schedules`)).status).toBe(403);
    expect((await post(app, trigger)).status).toBe(403);
    whose.owner = null;
    expect((await post(app, { operation: 'trigger', targets: ['none'] })).status).toBe(404);
    expect(await (await post(app, trigger)).json()).toEqual({ changed: 1 });
    expect(await (await fetch(`${app.url}/admin/jobs/api/schedules`)).json()).toMatchObject({
      schedules: [{ name: 'daily', owner: 'acme', isDeclared: false }],
      next: null,
    });
  });

  it('shows an owner neither workers nor the messages of internal errors, which an operator sees', async () => {
    const whose: { owner: string | null } = { owner: 'acme' };
    const app = await startOn(adapter, { owner: () => whose.owner });
    const { id } = await app.jobs.submit(
      'Echo',
      { crash: 'connect ECONNREFUSED db-1' },
      { owner: 'acme', maxRetries: 0 },
    );
    const { worker } = (await app.jobs.waitFor(id)).failedAttempts[0]!;
    const shown = async () => {
      const [list, job, stream] = await Promise.all(
        ['/api/jobs', `/api/jobs/${id}`, `/api/jobs/${id}/stream`].map(async (path) =>
          (await fetch(`${app.url}/admin/jobs${path}`)).text(),
        ),
      );
      return `${list}${job}${stream}`;
    };
    const text = await shown();
    expect(text).toContain('Failed');
    expect(text).not.toContain('ECONNREFUSED');
    expect(text).not.toContain(worker);
    whose.owner = null;
    expect(await shown()).toContain('ECONNREFUSED');
  });

  it('reads the store once per two seconds for all streams, never while nobody looks, and closes with open streams', async () => {
    const store: JobStore = new MemoryJobStore();
    let calls = 0;
    const stats = store.stats.bind(store);
    const app = await startDashboard(adapter, store);
    store.stats = () => {
      calls++;
      return stats();
    };
    const streams = await Promise.all(
      Array.from({ length: 50 }, async () => (await fetch(`${app.url}/admin/jobs/api/stream`)).body!.getReader()),
    );
    await Promise.all(streams.map((stream) => stream.read()));
    expect(calls).toBe(1);
    await app.nest.close();
  });
});
