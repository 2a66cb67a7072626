import type { Page } from 'playwright-core';
import { hasBrowser, openPage } from './browser.js';
import { MemoryJobStore } from './built.js';
import { startDashboard } from './dashboard-app.js';
import { get, post } from './requests.js';
import { storeOf, STORES } from './stores.js';

const ID = '01a21bf1-e3c8-7df8-a9f5-6faf1a6b5175';
const NUL = '\0';
const GARBAGE = [
  NUL,
  '\uD800',
  "'; drop table jobs; --",
  '%',
  '*',
  '{"$ne":1}',
  'x'.repeat(8_000),
  '-1',
  'NaN',
  '1e999',
  '[]',
  'null',
  '["before",1,0]',
  '["before",9e99,-1]',
  '["before",1,[0,{"a":[]},null,"x"]]',
  '["x","y","z"]',
  '\u202E😀',
  '__proto__',
];

async function expectAnswer(status: number, text: string, what: unknown): Promise<void> {
  expect([what, status]).toEqual([what, expect.toSatisfy((code: number) => [200, 400, 404].includes(code))]);
  if (status !== 200) expect((JSON.parse(text) as { message: string }).message).toMatch(/\w/);
}

describe.each(STORES)('Garbage in an address, on %s', (store) => {
  it('is answered by data or by a message', async () => {
    const app = await startDashboard('Fastify', await storeOf(store));
    await app.jobs.submit('Echo', {}, { delayMs: 60_000 });
    for (const route of ['/api/jobs', '/api/count']) {
      for (const name of ['name', 'status', 'owner', 'errorCode', 'cursor', 'limit', 'other']) {
        for (const value of GARBAGE) {
          const answer = await get(app, `${route}?${new URLSearchParams({ [name]: value }).toString()}`);
          await expectAnswer(answer.status, await answer.text(), [route, name, value.slice(0, 50)]);
        }
      }
    }
    for (const value of GARBAGE) {
      const parameters = new URLSearchParams({ after: value }).toString();
      const schedules = await get(app, `/api/schedules?${parameters}`);
      await expectAnswer(schedules.status, await schedules.text(), ['after', value.slice(0, 50)]);
      const job = await get(app, `/api/jobs/${encodeURIComponent(value.replace('\uD800', '')).slice(0, 90) || 'x'}`);
      await expectAnswer(job.status, await job.text(), ['id', value.slice(0, 50)]);
      for (const operation of ['pause', 'resume', 'cancel', 'trigger', 'pause-schedule']) {
        const action = await post(app, { operation, targets: [value] });
        await expectAnswer(action.status, await action.text(), [operation, value.slice(0, 50)]);
      }
    }
  });

  it('is no filter that lets an action reach all jobs', async () => {
    const app = await startDashboard('Express', await storeOf(store));
    const { id } = await app.jobs.submit('Echo', {}, { delayMs: 60_000 });
    for (const filter of [{ statsu: 'Failed' }, { id }, { __proto__x: '' }]) {
      expect((await post(app, { operation: 'cancel', filter })).status).toBe(400);
      expect((await get(app, `/api/jobs?${new URLSearchParams(filter as never).toString()}`)).status).toBe(400);
    }
    expect((await app.jobs.find(id))?.status).toBe('Scheduled');
  });
});

const said = (page: Page, text: string) => page.locator('main').getByText(text).first().waitFor();

describe.skipIf(!hasBrowser)('An address of the dashboard', () => {
  it('shows the same view after a reload, and without actions to a reader', async () => {
    const who = { access: 'operate' as 'operate' | 'read' | 'none' };
    const app = await startDashboard('Fastify', new MemoryJobStore(), { options: { access: () => who.access } });
    const { id } = await app.jobs.waitFor((await app.jobs.submit('Echo', { fail: 'no' }, { owner: 'acme' })).id);
    await app.jobs.schedules.upsert('daily', 'Echo', { cron: '@daily' });
    const views = {
      '': 'Queues',
      [`jobs?owner=acme`]: id,
      [`jobs/${id}`]: 'BROKEN',
      workers: 'pid',
      schedules: 'daily',
    };
    const page = await openPage(`${app.url}/admin/jobs`);
    for (const access of ['operate', 'read'] as const) {
      who.access = access;
      for (const [view, text] of Object.entries(views)) {
        await page.goto(`${app.url}/admin/jobs#/${view}`);
        await page.reload();
        await said(page, text);
        const actions = page
          .locator('main')
          .getByRole('button', { name: /Pause|Resume|Rerun|Cancel|Run now|Select all/ });
        const expected = access === 'operate' && view !== 'workers';
        if (expected) await actions.first().waitFor();
        else expect([view, await actions.count()]).toEqual([view, 0]);
      }
    }
    who.access = 'none';
    await page.reload();
    await page.getByText('You may not see the dashboard.').waitFor();
  });

  it('of an operator tells an owner nothing of others, and says why', async () => {
    const who = { owner: 'acme' as string | null };
    const options = { access: () => 'operate' as const, owner: () => who.owner };
    const app = await startDashboard('Express', new MemoryJobStore(), { options });
    const own = await app.jobs.submit('Echo', {}, { owner: 'acme', delayMs: 60_000 });
    const other = await app.jobs.submit('Echo', {}, { owner: 'other', delayMs: 60_000 });
    const page = await openPage(`${app.url}/admin/jobs`);
    const visit = async (view: string, text: string) => {
      await page.goto(`${app.url}/admin/jobs#/${view}`);
      await page.reload();
      await said(page, text);
      expect(await page.getByText(other.id).count()).toBe(0);
    };
    await visit('jobs?owner=acme', own.id);
    await visit('jobs?owner=other', 'You may see your own jobs, not those of another owner.');
    expect(await page.locator('main button').count()).toBe(0);
    for (const view of ['workers', 'schedules']) await visit(view, 'You may see your own jobs.');
    await page.locator('main').getByRole('link', { name: 'Jobs' }).click();
    await said(page, own.id);
    await page.goto(`${app.url}/admin/jobs#/jobs/${other.id}`);
    await said(page, 'There is no such job, or its retention has passed.');
  });

  it('that is garbage leads to a message, and to no other route', async () => {
    const app = await startDashboard('Fastify', new MemoryJobStore());
    await app.jobs.submit('Echo', {}, { delayMs: 60_000 });
    const page = await openPage(`${app.url}/admin/jobs`);
    const messages = {
      nowhere: 'There is no view nowhere.',
      'jobs/..': '.. is not the id of a job.',
      'jobs/%2e%2e%2fstream': '../stream is not the id of a job.',
      'jobs/%E0%A4%A': 'is not the id of a job.',
      [`jobs/${ID}`]: 'There is no such job, or its retention has passed.',
      'jobs?status=Lost': 'Lost is not a status.',
      'jobs?status=Failed&status=Queued': 'status must be given once, as a text.',
      'jobs?statsu=Failed': 'statsu is not a filter.',
      'jobs?name=%00': 'name contains the character U+0000.',
      'jobs?cursor=made-up': 'expected one that list gave.',
      'jobs?limit=many': 'expected a number.',
      [`jobs?status=Failed&${new URLSearchParams({ cursor: '["before",1,0]' }).toString()}`]:
        'No job on this page matches.',
    };
    for (const [view, text] of Object.entries(messages)) {
      await page.goto(`${app.url}/admin/jobs#/${view}`);
      await page.reload();
      await said(page, text);
    }
    await page.getByRole('link', { name: 'First page' }).click();
    await said(page, 'No job matches.');
  });
});
