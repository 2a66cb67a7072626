import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { hasBrowser, openPage } from './browser.js';
import { ADAPTERS, type DashboardApp, startDashboard, startStrippingProxy } from './dashboard-app.js';
import { storeOf, STORES } from './stores.js';

const LOOKS = {
  Express: { colorScheme: 'light', viewport: { width: 1_320, height: 900 } },
  Fastify: { colorScheme: 'dark', viewport: { width: 360, height: 800 } },
} as const;
const STACKS = STORES.flatMap((store) => ADAPTERS.map((adapter) => [store, adapter] as const));

describe.skipIf(!hasBrowser)('Every view and action of the dashboard, behind a proxy that strips a prefix', () => {
  it.each(STACKS)('works on %s and %s', async (store, adapter) => {
    const app = await startDashboard(adapter, await storeOf(store));
    const proxy = await startStrippingProxy('/ops', app.url);
    const failed = await app.jobs.submit('Echo', { fail: 'It broke.', apiKey: 'secret', total: 3 }, { owner: 'acme' });
    await app.jobs.waitFor(failed.id);
    const running = await app.jobs.submit('Slow', {});
    const page = await openPage(`${proxy.url}/admin/jobs`, {
      ...LOOKS[adapter],
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    await pausesAQueue(page, app);
    await actsOnSelectedAndOnAllJobs(page, app);
    await showsAFailedJob(page, failed.id);
    await rerunsAndResumes(page, app, failed.id);
    await followsAndCancelsARunningJob(page, app, running.id);
    await steersSchedules(page, app);
    await page.getByLabel('Theme').selectOption('Dark');
    await page.locator('html[data-theme=dark]').waitFor();
  });
});

async function view(page: Page, name: string): Promise<void> {
  await page.getByRole('navigation').getByRole('link', { name, exact: true }).click();
}

async function pausesAQueue(page: Page, app: DashboardApp): Promise<void> {
  await page.getByRole('button', { name: 'Pause Echo' }).click();
  await page.getByRole('button', { name: 'Resume Echo' }).waitFor();
  await page.getByText('by anna').waitFor();
  expect(await app.jobs.paused()).toMatchObject([{ name: 'Echo', pausedBy: 'anna' }]);
  await view(page, 'Workers');
  await page.getByText(/^1 of \d+/).waitFor();
  await page.getByRole('row', { name: /pid/ }).getByRole('link', { name: 'Slow' }).waitFor();
}

async function actsOnSelectedAndOnAllJobs(page: Page, app: DashboardApp): Promise<void> {
  const many = await Promise.all(Array.from({ length: 3 }, () => app.jobs.submit('Echo', {}, { owner: 'acme' })));
  const [first] = many.map(({ id }) => id) as [string];
  await view(page, 'Jobs');
  await page.getByLabel('Status').selectOption('Queued');
  await page.getByLabel('Owner').fill('acme');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.waitForURL(/status=Queued&owner=acme/);
  await page.getByLabel(`Select ${first}`).check();
  await page.getByRole('button', { name: 'Cancel jobs 1' }).click();
  await page.getByText('1 of 1 jobs canceled.').waitFor();
  await page.getByText('0 selected').waitFor();
  await page.getByRole('button', { name: 'Select all that match' }).click();
  await page.getByText('2 jobs match').waitFor();
  await page.getByRole('button', { name: 'Cancel jobs 2' }).click();
  await page.getByText('2 of 2 jobs canceled.').waitFor();
  const found = await Promise.all(many.map(({ id }) => app.jobs.find(id)));
  expect(found.map((job) => job?.status)).toEqual(['Canceled', 'Canceled', 'Canceled']);
  await page.getByText('No job matches').waitFor();
}

async function showsAFailedJob(page: Page, id: string): Promise<void> {
  await page.getByLabel('Error code').fill('BROKEN');
  await page.getByLabel('Status').selectOption('Failed');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.getByText(id).waitFor();
  await page.getByLabel('Id', { exact: true }).fill(id);
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.getByRole('region', { name: 'Timeline' }).getByText('Attempt 1 failed').waitFor();
  await page.getByRole('region', { name: 'Error' }).getByText('It broke.').waitFor();
  const payload = page.getByRole('region', { name: 'Payload' });
  await payload.getByText('total: 3').waitFor();
  await payload.getByText('apiKey: "••••••"').waitFor();
  await page.getByRole('button', { name: 'Copy id' }).click();
  await page.getByText('Id copied.').waitFor();
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe(id);
  await page.getByRole('button', { name: 'Copy as curl' }).click();
  await page.getByText('Command copied.').waitFor();
  const command = await page.evaluate<string>('navigator.clipboard.readText()');
  expect(command).toMatch(/^curl .*\/ops\/admin\/jobs\/api\/jobs\/[\w-]+'$/);
  const { stdout } = await promisify(execFile)('sh', ['-c', command]);
  expect(JSON.parse(stdout)).toMatchObject({ id, status: 'Failed' });
}

async function rerunsAndResumes(page: Page, app: DashboardApp, id: string): Promise<void> {
  await page.getByRole('button', { name: 'Rerun' }).click();
  await page.getByText('Waits for a worker').waitFor();
  await app.jobs.resume('Echo');
  // Nobody reloads the page: it follows the job through its second life.
  await page.getByRole('button', { name: 'Rerun' }).waitFor();
  await page.getByRole('link', { name: 'BROKEN' }).click();
  await page.waitForURL(/name=Echo&errorCode=BROKEN/);
  await page.getByText(id).waitFor();
}

async function followsAndCancelsARunningJob(page: Page, app: DashboardApp, id: string): Promise<void> {
  await page.goto(`${page.url().split('#')[0]}#/jobs/${id}`);
  await page.getByText('50 % · half way · worker-1').waitFor();
  expect(await page.getByRole('progressbar').getAttribute('value')).toBe('0.5');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('region', { name: 'Timeline' }).getByText('Canceled').waitFor();
  expect((await app.jobs.find(id))?.status).toBe('Canceled');
}

async function steersSchedules(page: Page, app: DashboardApp): Promise<void> {
  await app.jobs.schedules.upsert('daily', 'Echo', { cron: '0 3 * * *', timeZone: 'Europe/Zurich', payload: {} });
  await view(page, 'Schedules');
  const row = page.getByRole('row').filter({ hasText: 'daily' });
  await row.getByText('0 3 * * * Europe/Zurich').waitFor();
  await row.getByRole('button', { name: 'Run now' }).click();
  await page.getByText('daily: triggered.').waitFor();
  await row.getByRole('button', { name: 'Pause' }).click();
  await row.getByText('Paused').waitFor();
  expect(await app.jobs.schedules.find('daily')).toMatchObject({ pausedBy: 'anna', nextAt: null });
  await row.getByRole('button', { name: 'Resume' }).click();
  await row.getByRole('button', { name: 'Pause' }).waitFor();
}
