import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type RedisServer, startRedisServer } from '@app/redis-server';
import { type Browser, chromium, type Page } from 'playwright-core';
import {
  type DashboardApp,
  MemoryJobStore,
  RedisJobStore,
  startDashboard,
  startStrippingProxy,
} from './dashboard-app.js';

const CHROMIUM = '/usr/bin/chromium';
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const HOSTILE = '<script>window.hacked=1</script><img src=x onerror=hacked=1>\u202Eevil\u200B"\'&';

describe.skipIf(!existsSync(CHROMIUM))('The page of the dashboard', () => {
  let browser: Browser;
  let redis: RedisServer;

  beforeAll(async () => {
    [browser, redis] = await Promise.all([
      chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] }),
      startRedisServer(),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await redis?.stop();
  });

  async function open(url: string, options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    const context = await browser.newContext(options);
    onTestFinished(() => context.close());
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    await page.goto(url);
    return page;
  }

  async function start(adapter: 'Express' | 'Fastify', store: 'memory' | 'Redis'): Promise<DashboardApp> {
    const of = {
      memory: () => new MemoryJobStore(),
      Redis: () => new RedisJobStore({ url: redis.url, prefix: randomUUID() }),
    };
    const app = await startDashboard(adapter, of[store]());
    onTestFinished(() => app.nest.close());
    return app;
  }

  async function axe(page: Page): Promise<string[]> {
    return page.evaluate(`${AXE};axe.run().then(({violations}) => violations.flatMap(({id, nodes}) =>
      nodes.map(({html}) => id + ' ' + html)))`);
  }

  it.each([
    ['Express', 'memory'],
    ['Fastify', 'Redis'],
  ] as const)('shows every view and does every action on %s and %s, behind a proxy', async (adapter, store) => {
    const app = await start(adapter, store);
    const failed = await app.jobs.submit('Echo', { fail: 'It broke.' });
    await app.jobs.waitFor(failed.id);
    const proxy = await startStrippingProxy('/ops', app.url);
    onTestFinished(() => void proxy.server.close());
    const page = await open(`${proxy.url}/admin/jobs`);
    await page.getByRole('button', { name: 'Pause Echo' }).click();
    await page.getByRole('button', { name: 'Resume Echo' }).waitFor();
    await page.getByText('by anna').waitFor();
    expect(await app.jobs.paused()).toMatchObject([{ name: 'Echo', pausedBy: 'anna' }]);
    const many = await Promise.all(Array.from({ length: 3 }, () => app.jobs.submit('Echo', {})));
    await page.getByRole('link', { name: 'Workers', exact: true }).click();
    await page.getByText('pid').first().waitFor();

    await page.getByRole('link', { name: 'Jobs', exact: true }).click();
    await page.getByLabel('Status').selectOption('Queued');
    await page.getByRole('button', { name: 'Filter' }).click();
    await page.waitForURL(/status=Queued/);
    await page.getByRole('button', { name: 'Select all that match' }).click();
    await page.getByText('3 jobs match').waitFor();
    await page.getByRole('button', { name: 'Cancel jobs' }).click();
    await page.getByText('3 of 3 jobs changed.').waitFor();
    expect((await app.jobs.find(many[0]!.id))?.status).toBe('Canceled');

    await page.getByLabel('Id', { exact: true }).fill(failed.id);
    await page.getByRole('button', { name: 'Filter' }).click();
    await page.getByText('It broke.').first().waitFor();
    await page.getByRole('button', { name: 'Rerun' }).click();
    await page.getByText('Waits for a worker').waitFor();
    await app.jobs.resume('Echo');
    await page.getByText('BROKEN').first().waitFor();
  });

  it('shows schedules, triggers one, pauses it and lets it go on', async () => {
    const app = await start('Fastify', 'memory');
    const daily = { cron: '0 3 * * *', timeZone: 'Europe/Zurich', payload: { secret: 'nobody' } };
    await app.jobs.schedules.upsert('daily', 'Echo', daily);
    await app.jobs.schedules.upsert(HOSTILE, 'Echo', { everyMs: 3_600_000 });
    const page = await open(`${app.url}/admin/jobs`);
    await page.getByRole('link', { name: 'Schedules', exact: true }).click();
    const row = page.getByRole('row').filter({ hasText: 'daily' });
    await row.getByText('0 3 * * * Europe/Zurich').waitFor();
    await row.getByRole('button', { name: 'Run now' }).click();
    await page.getByText('daily: triggered.').waitFor();
    expect(await app.jobs.list({ name: 'Echo' })).toMatchObject({ jobs: [{ name: 'Echo' }] });
    await row.getByRole('button', { name: 'Pause' }).click();
    await row.getByText('Paused').waitFor();
    expect(await app.jobs.schedules.find('daily')).toMatchObject({ pausedBy: 'anna', nextAt: null });
    await row.getByRole('button', { name: 'Resume' }).click();
    await row.getByRole('button', { name: 'Pause' }).waitFor();
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    expect(await page.content()).not.toContain('nobody');
    expect(app.log.join()).not.toContain('nobody');
  });

  it('shows hostile names, owners, errors and results as text, and a result of 1 MiB at once', async () => {
    const app = await start('Fastify', 'memory');
    const long = 'x'.repeat(700_000);
    const result = { [HOSTILE]: HOSTILE, long, list: Array.from({ length: 10_000 }, (_, index) => index) };
    const done = await app.jobs.submit('Echo', { result }, { owner: HOSTILE });
    const failed = await app.jobs.submit('Echo', { fail: HOSTILE + long });
    await app.jobs.waitFor(done.id);
    await app.jobs.waitFor(failed.id);
    const page = await open(`${app.url}/admin/jobs#/jobs/${done.id}`);
    await page.getByText('<script>').first().waitFor();
    await page.getByText('\\u{202e}evil').first().waitFor();
    expect(await page.locator('.tree div').count()).toBeLessThan(100);
    await page.goto(`${app.url}/admin/jobs#/jobs/${failed.id}`);
    await page.getByText('BROKEN').first().waitFor();
    await page.goto(`${app.url}/admin/jobs#/jobs`);
    await page.getByText('<script>').first().waitFor();
    expect(await page.evaluate('window.hacked')).toBeUndefined();
  });

  it.each(['light', 'dark'] as const)('has no violation of axe and fits into 360 px in %s', async (colorScheme) => {
    const app = await start('Express', 'memory');
    const { id } = await app.jobs.submit('Echo', { fail: 'It broke.' });
    await app.jobs.waitFor(id);
    const page = await open(`${app.url}/admin/jobs`, {
      colorScheme,
      reducedMotion: 'reduce',
      viewport: { width: 360, height: 800 },
    });
    await app.jobs.schedules.upsert('daily', 'Echo', { cron: '@daily' });
    const views = { '': 'Queues', workers: 'pid', schedules: '@daily', jobs: 'BROKEN', [`jobs/${id}`]: 'It broke.' };
    for (const [view, text] of Object.entries(views)) {
      await page.goto(`${app.url}/admin/jobs#/${view}`);
      await page.getByText(text).first().waitFor();
      expect(await axe(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
    }
  });

  it('says that the connection is lost, and recovers it', async () => {
    const app = await start('Fastify', 'memory');
    const proxy = await startStrippingProxy('/ops', app.url);
    onTestFinished(() => void proxy.server.close());
    const page = await open(`${proxy.url}/admin/jobs`);
    await page.getByText('Live', { exact: true }).waitFor();
    proxy.server.closeAllConnections();
    await page.getByText('Connection lost, trying again').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
  });
});
