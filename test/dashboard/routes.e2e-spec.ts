import { readdirSync, readFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { type INestApplication, Injectable, Module, ValidationPipe } from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { map } from 'rxjs';
import { eventually } from 'nestjs-async-endpoints/testing';
import { AsyncDashboardModule, MemoryJobStore } from './built.js';
import { ADAPTERS, KeyGuard, startDashboard, startStrippingProxy } from './dashboard-app.js';
import { firstMessage, get, getJson, post } from './requests.js';

const PAGE = new URL('../../libs/async-endpoints/dist/dashboard/page/', import.meta.url);
const ID = '01a21bf1-e3c8-7df8-a9f5-6faf1a6b5175';
const ROUTES = [
  '',
  '/assets/app.js',
  '/api/visitor',
  '/api/stream',
  '/api/workers/stream',
  '/api/jobs',
  '/api/count',
  `/api/jobs/${ID}`,
  `/api/jobs/${ID}/payload`,
  `/api/jobs/${ID}/stream`,
  '/api/schedules',
];
/** The same addresses, as a router may read them. */
const SPELLINGS = [
  (path: string) => path,
  (path: string) => `${path}/`,
  (path: string) => path.toUpperCase(),
  (path: string) => path.replace('admin', '%61dmin').replace('api', '%61pi'),
  (path: string) => path.replace('/admin', '//admin'),
  (path: string) => path.replace('/admin/', '/admin/./'),
  (path: string) => path.replace('/jobs', '/x/%2e%2e/jobs'),
  (path: string) => `${path};x=1`,
  (path: string) => `${path}%00`,
];

describe('AsyncDashboardModule', () => {
  it('refuses to boot without guards, unless it is public', () => {
    expect(() => AsyncDashboardModule.forRoot({})).toThrow('The dashboard has no guards');
    expect(() => AsyncDashboardModule.forRootAsync({ useFactory: () => ({}) })).toThrow('The dashboard has no guards');
    expect(() => AsyncDashboardModule.forRoot({ public: true })).not.toThrow();
  });

  it.each([
    [{ access: 'read' }, 'access of AsyncDashboardModule is "read"; expected a function.'],
    [{ path: '/' }, 'path of AsyncDashboardModule is "/"; expected a path such as admin/jobs.'],
    [{ show: { payload: 'no' } }, 'show.payload of AsyncDashboardModule is "no"; expected true or false.'],
    [{ show: { redact: ['email'] } }, 'show.redact of AsyncDashboardModule is email; expected a function.'],
  ])('names what is wrong in %j', (options, message) => {
    expect(() => AsyncDashboardModule.forRoot({ public: true, ...options } as never)).toThrow(message);
  });

  it('is at most 40 kB gzipped in all', () => {
    const bytes = readdirSync(PAGE).map((file) => gzipSync(readFileSync(new URL(file, PAGE))).length);
    expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(40_000);
  });

  it('sends requests to its own origin only, and has no code that parses text as HTML', () => {
    for (const file of readdirSync(PAGE)) {
      const text = readFileSync(new URL(file, PAGE), 'utf8');
      expect([file, text.match(/https?:\/\/(?!www\.w3\.org\/)[^\s'"`]+/g)]).toEqual([file, null]);
      if (!file.startsWith('preact')) expect([file, text.includes('HTML')]).toEqual([file, false]);
    }
  });
});

/** As helmet sets it: before the routes. */
function withHelmet(nest: INestApplication): void {
  nest.use((_request: unknown, response: { setHeader(name: string, value: string): void }, next: () => void) => {
    response.setHeader('content-security-policy', "default-src 'self'; script-src 'none'");
    next();
  });
}

/** `fetch` sets the headers of a browser itself. */
function rawGet(url: string, headers: Record<string, string>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers }, (answer) => {
      answer.resume().on('end', () => resolve(answer));
    });
    sent.on('error', reject).end();
  });
}

async function expectPage(url: string): Promise<void> {
  const page = await fetch(`${url}?x=1`);
  expect(page.status).toBe(200);
  expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self';/);
  const html = await page.text();
  const assets = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => new URL(address!, `${url}?x=1`));
  expect(await Promise.all(assets.map(async (asset) => (await fetch(asset)).status))).toEqual([200, 200, 200]);
  const source = /src="([^"]+)"/.exec(html)?.[1] as string;
  const script = await fetch(new URL(source, `${url}?x=1`));
  expect([script.status, script.headers.get('content-type')]).toEqual([200, 'text/javascript; charset=utf-8']);
  // The script finds everything else beside itself.
  const visitor = await fetch(new URL('../api/visitor', script.url));
  expect(await visitor.json()).toEqual({ access: 'operate', owner: null });
}

describe.each(ADAPTERS)('The routes of the dashboard on %s', (adapter) => {
  it('run the guards for page, assets, data, streams and actions, however the address is spelt', async () => {
    const app = await startDashboard(adapter, new MemoryJobStore());
    for (const route of ROUTES) {
      for (const spell of SPELLINGS) {
        const path = spell(`/admin/jobs${route}`);
        const { status } = await fetch(app.url + path, { headers: { 'x-key': 'wrong' } });
        expect([path, status]).toEqual([path, expect.toSatisfy((code: number) => [400, 403, 404].includes(code))]);
      }
      expect([route, (await get(app, route, { 'x-key': 'wrong' })).status]).toEqual([route, 403]);
    }
    expect((await post(app, { operation: 'pause', targets: ['Echo'] }, { 'x-key': 'wrong' })).status).toBe(403);
    expect(await app.jobs.paused()).toEqual([]);
  });

  it('answer no request of another site, also where the application lets other sites read', async () => {
    const app = await startDashboard(adapter, new MemoryJobStore(), {
      configure: (nest) => nest.enableCors({ origin: true, credentials: true }),
    });
    for (const route of ['/api/jobs', '/api/stream', `/api/jobs/${ID}/payload`]) {
      for (const site of ['cross-site', 'same-site']) {
        const headers = { 'sec-fetch-site': site, 'sec-fetch-mode': 'cors', origin: 'http://evil.example' };
        const { statusCode } = await rawGet(`${app.url}/admin/jobs${route}`, headers);
        expect([route, site, statusCode]).toEqual([route, site, 403]);
      }
    }
    // A link on another site may lead to the page.
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    expect((await rawGet(`${app.url}/admin/jobs`, link)).statusCode).toBe(200);
    const own = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' };
    expect((await rawGet(`${app.url}/admin/jobs/api/jobs`, own)).statusCode).toBe(200);
  });

  it('end a HEAD request of a stream, so that its connection is free for the next request', async () => {
    const app = await startDashboard(adapter, new MemoryJobStore());
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    for (const route of ['/api/stream', '/api/workers/stream']) {
      socket.write(`HEAD /admin/jobs${route} HTTP/1.1\r\nHost: x\r\n\r\n`);
    }
    socket.write('GET /admin/jobs/api/visitor HTTP/1.1\r\nHost: x\r\n\r\n');
    await vi.waitUntil(() => text.includes('"access"'));
  });

  it('refuse the 1,001st stream of a process, until another one ends', async () => {
    const app = await startDashboard(adapter, new MemoryJobStore());
    const abort = new AbortController();
    onTestFinished(() => abort.abort());
    const open = (signal: AbortSignal) => fetch(`${app.url}/admin/jobs/api/stream`, { signal });
    const first = new AbortController();
    const answers = [await open(first.signal)]; // kept: fetch ends the stream of a response that is garbage
    while (answers.length < 1_000)
      answers.push(...(await Promise.all(Array.from({ length: 111 }, () => open(abort.signal)))));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1_000);
    expect((await open(abort.signal)).status).toBe(503);
    first.abort();
    await eventually(async () => (await open(abort.signal)).status === 200, 20_000);
    expect(answers).toHaveLength(1_000);
  });

  it('work with helmet, a global prefix and versioning', async () => {
    const app = await startDashboard(adapter, new MemoryJobStore(), {
      configure(nest) {
        withHelmet(nest);
        nest.setGlobalPrefix('v');
        nest.enableVersioning();
      },
    });
    await expectPage(`${app.url}/v/admin/jobs`);
    expect((await fetch(`${app.url}/v/admin/jobs/assets/..%2findex.js`)).status).toBe(404);
  });

  it('answer what the page expects, whatever interceptors and pipes of the application do', async () => {
    const app = await startDashboard(adapter, new MemoryJobStore(), {
      configure(nest) {
        nest.useGlobalInterceptors({ intercept: (_context, next) => next.handle().pipe(map((data) => ({ data }))) });
        nest.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true }));
      },
    });
    expect(await getJson(app, '/api/jobs?status=Failed')).toEqual({ jobs: [], cursor: null });
    expect(JSON.parse(await firstMessage(app, '/api/stream'))).toMatchObject({ stats: [] });
    const pause = await post(app, { operation: 'pause', targets: ['Echo'] });
    expect(await pause.json()).toMatchObject({ changed: 1 });
  });

  it('work below a path of RouterModule, behind a proxy that strips a prefix', async () => {
    @Module({ imports: [AsyncDashboardModule.forRoot({ public: true, path: 'jobs', access: () => 'operate' })] })
    class OfficeModule {}
    const app = await startDashboard(adapter, new MemoryJobStore(), {
      dashboard: [OfficeModule],
      imports: [RouterModule.register([{ path: 'office', module: OfficeModule, children: [AsyncDashboardModule] }])],
    });
    const proxy = await startStrippingProxy('/ops', app.url);
    await expectPage(`${proxy.url}/office/jobs`);
    await expectPage(`${app.url}/office/jobs`);
  });

  it('take their rules from a factory, which injects from imported modules', async () => {
    @Injectable()
    class Tenants {
      readonly current = 'acme';
    }
    @Module({ providers: [Tenants], exports: [Tenants] })
    class TenantsModule {}
    const app = await startDashboard(adapter, new MemoryJobStore(), {
      dashboard: [
        AsyncDashboardModule.forRootAsync({
          path: 'admin/jobs',
          guards: [KeyGuard],
          imports: [TenantsModule],
          inject: [Tenants],
          useFactory: (tenants: Tenants) => ({ owner: () => tenants.current, show: { result: false } }),
        }),
      ],
    });
    expect(await getJson(app, '/api/visitor')).toEqual({ access: 'read', owner: 'acme' });
    expect((await get(app, '/api/visitor', { 'x-key': 'wrong' })).status).toBe(403);
  });
});
