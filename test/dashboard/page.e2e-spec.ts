import type { Page } from 'playwright-core';
import { MemoryJobStore } from './built.js';
import { axe, hasBrowser, openPage, overflow } from './browser.js';
import { startDashboard, startStrippingProxy } from './dashboard-app.js';

const RTL = '\u202Eevil\u200B\u2066';
const HOSTILE = `<script>window.hacked=1</script><img src=x onerror=hacked=1>${RTL}"'&`;
const SHOWN = '\\u{202e}evil\\u{200b}\\u{2066}';
const LONG = 'x'.repeat(700_000);

function elements(page: Page, selector: string): Promise<number> {
  return page.locator(selector).count();
}

describe.skipIf(!hasBrowser)('The page of the dashboard', () => {
  it('shows hostile names, owners, errors, payloads, results and schedules as text', async () => {
    const store = new MemoryJobStore();
    const app = await startDashboard('Fastify', store);
    const value = { [HOSTILE]: HOSTILE, [LONG.slice(0, 200_000)]: 1 };
    const { id } = await app.jobs.submit('Echo', value, { owner: HOSTILE, delayMs: 60_000 });
    // The application refuses such a name; what else writes to the store may not.
    const [job] = await store.find([id]);
    const waiting = {
      ...job!,
      id: id.replace('-7', '-6'),
      name: HOSTILE,
      delayMs: 0,
      idempotency: null,
      queueLimit: null,
    };
    await store.submit([{ ...waiting, payload: JSON.stringify({ request: value }) }], { queueLimit: 100 });
    const done = await app.jobs.waitFor((await app.jobs.submit('Echo', { result: value })).id);
    const failed = await app.jobs.waitFor((await app.jobs.submit('Echo', { fail: HOSTILE + LONG })).id);
    await app.jobs.schedules.upsert(HOSTILE, 'Echo', { everyMs: 3_600_000 });
    await app.jobs.pause(HOSTILE, { by: HOSTILE });
    const page = await openPage(`${app.url}/admin/jobs`);
    for (const view of ['', 'jobs', `jobs/${waiting.id}`, `jobs/${done.id}`, `jobs/${failed.id}`, 'schedules']) {
      await page.goto(`${app.url}/admin/jobs#/${view}`);
      await page.getByText('<script>').first().waitFor();
      await page.getByText(SHOWN).first().waitFor();
      expect(await page.locator('main').innerText()).not.toMatch(/[\u202E\u200B\u2066]/u);
      expect([view, await elements(page, 'main script, main img')]).toEqual([view, 0]);
    }
    expect(await page.evaluate('window.hacked')).toBeUndefined();
  });

  it('draws a little of a payload of 1 MiB, and more of it when asked', async () => {
    const app = await startDashboard('Express', new MemoryJobStore());
    await app.jobs.pause('Echo');
    const twenty = (json: string) => `[${Array<string>(20).fill(json).join()}]`;
    const nested = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [n, JSON.parse(twenty(twenty('{}')))]));
    const list = Array.from({ length: 10_000 }, (_, index) => index);
    const { id } = await app.jobs.submit('Echo', { long: LONG, list, nested });
    const page = await openPage(`${app.url}/admin/jobs#/jobs/${id}`);
    const payload = page.getByRole('region', { name: 'Payload' });
    await payload.getByText('10,000 items').waitFor();
    expect(await elements(page, '.tree div')).toBeLessThan(100);
    await payload.getByRole('button', { name: 'list' }).click();
    await payload.getByText('99: 99').waitFor();
    await payload.getByRole('button', { name: 'Show 100 more' }).click();
    await payload.getByText('199: 199').waitFor();
    await payload.getByRole('button', { name: 'Show more' }).click();
    await vi.waitUntil(async () => (await payload.locator('.s').first().innerText()).length > 20_000);
  });

  it('can be used with the keyboard alone', async () => {
    const app = await startDashboard('Fastify', new MemoryJobStore());
    const { id } = await app.jobs.waitFor((await app.jobs.submit('Echo', { fail: 'It broke.' })).id);
    const page = await openPage(`${app.url}/admin/jobs`);
    await page.getByRole('button', { name: 'Pause Echo' }).waitFor();
    const press = async (key: string, name: string) => {
      const focused = 'document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent.trim()';
      for (let tries = 0; (await page.evaluate(focused)) !== name; tries++) {
        if (tries === 60) throw new Error(`${name} gets no focus.`);
        await page.keyboard.press('Tab');
      }
      expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).not.toBe('none');
      await page.keyboard.press(key);
    };
    await press('Enter', 'Skip to content');
    await press('Enter', 'Pause Echo');
    await page.getByText('by anna').waitFor();
    await press('Enter', 'Resume Echo');
    await page.goto(`${app.url}/admin/jobs#/jobs`);
    await page.getByText(id).waitFor();
    await press('Space', `Select ${id}`);
    await page.getByText('1 selected').waitFor();
    await app.jobs.pause('Echo');
    await page.keyboard.press('Shift+Tab');
    await page.getByRole('button', { name: 'Rerun 1' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('1 of 1 jobs queued again.').waitFor();
    await press('Enter', 'Echo');
    await press('Enter', 'Cancel');
    await page.getByText('The job was canceled.').waitFor();
  });

  it.each(['light', 'dark'] as const)(
    'has no violation of axe in any view, and fits into 360 and 2560 px, in %s',
    async (colorScheme) => {
      const app = await startDashboard('Express', new MemoryJobStore());
      const failed = await app.jobs.waitFor((await app.jobs.submit('Echo', { fail: 'It broke.' })).id);
      const done = await app.jobs.waitFor((await app.jobs.submit('Echo', { result: { list: [1, 'a', null] } })).id);
      await app.jobs.submit('Slow', {}, { owner: 'acme' });
      const retried = await app.jobs.submit('Echo', { retry: 'later' }, { owner: 'acme' });
      await app.jobs.pause('Quiet', { by: 'anna' });
      await app.jobs.schedules.upsert('daily', 'Echo', { cron: '@daily' });
      const page = await openPage(`${app.url}/admin/jobs`, { colorScheme, reducedMotion: 'reduce' });
      const views = {
        '': 'Paused',
        workers: 'pid',
        schedules: '@daily',
        jobs: 'BROKEN',
        'jobs?status=Queued': 'No job matches.',
        [`jobs/${failed.id}`]: 'It broke.',
        [`jobs/${done.id}`]: '3 items',
        [`jobs/${retried.id}`]: 'Retry scheduled',
      };
      for (const width of [360, 2_560]) {
        await page.setViewportSize({ width, height: 900 });
        for (const [view, text] of Object.entries(views)) {
          await page.goto(`${app.url}/admin/jobs#/${view}`);
          await page.getByText(text).first().waitFor();
          expect([view, await axe(page)]).toEqual([view, []]);
          expect([view, await overflow(page)]).toEqual([view, expect.toSatisfy((px: number) => px <= 0)]);
        }
      }
      const moving = `[...document.querySelectorAll('*')].filter((element) =>
      [getComputedStyle(element).transitionDuration, getComputedStyle(element).animationDuration].some((s) => s !== '0s')).length`;
      expect(await page.evaluate(moving)).toBe(0);
    },
  );

  it('shows times in the zone of the browser, and in UTC on hover', async () => {
    const app = await startDashboard('Fastify', new MemoryJobStore());
    const { id, createdAt } = await app.jobs.waitFor((await app.jobs.submit('Echo', {})).id);
    const page = await openPage(`${app.url}/admin/jobs#/jobs/${id}`, { timezoneId: 'Asia/Tokyo', locale: 'en-GB' });
    const time = page.locator('time').first();
    await time.waitFor();
    expect(await time.getAttribute('title')).toBe(`${new Date(createdAt).toISOString()} (UTC)`);
    const local = new Intl.DateTimeFormat('en-GB', { timeZone: 'Asia/Tokyo', timeStyle: 'medium' });
    expect(await time.innerText()).toBe(local.format(createdAt));
  });

  it('has no action for a reader, and no overview for an owner', async () => {
    const who = { access: 'read' as 'read' | 'operate', owner: null as string | null };
    const options = { access: () => who.access, owner: () => who.owner };
    const app = await startDashboard('Fastify', new MemoryJobStore(), { options });
    const { id } = await app.jobs.waitFor((await app.jobs.submit('Echo', { fail: 'no' }, { owner: 'acme' })).id);
    const page = await openPage(`${app.url}/admin/jobs`);
    await page.getByRole('link', { name: 'Echo' }).waitFor();
    expect(await elements(page, 'main button')).toBe(0);
    await page.goto(`${app.url}/admin/jobs#/jobs/${id}`);
    await page.getByRole('button', { name: 'Copy id' }).waitFor();
    expect(await page.getByRole('button', { name: 'Rerun' }).count()).toBe(0);
    Object.assign(who, { access: 'operate', owner: 'acme' });
    await page.goto(`${app.url}/admin/jobs`);
    await page.getByText(id).waitFor();
    expect(await page.getByRole('navigation').getByRole('link').allInnerTexts()).toEqual(['Jobs']);
    await page.getByRole('button', { name: 'Select all that match' }).click();
    await page.getByText('1 jobs match').waitFor();
  });

  it('stops an action on many jobs, between two steps', async () => {
    const app = await startDashboard('Fastify', new MemoryJobStore());
    await app.jobs.pause('Echo');
    await Promise.all(Array.from({ length: 3_000 }, () => app.jobs.submit('Echo', {})));
    const page = await openPage(`${app.url}/admin/jobs#/jobs?status=Queued`);
    await page.getByRole('button', { name: 'Select all that match' }).click();
    await page.getByText('3,000 jobs match').waitFor();
    let pressStop = async () => {};
    // The second step waits until the button was pressed.
    await page.route('**/api/actions', async (route) => {
      await pressStop();
      pressStop = () => page.getByRole('button', { name: 'Stop' }).click();
      await route.continue();
    });
    await page.getByRole('button', { name: 'Cancel jobs 3,000' }).click();
    await page.getByText('Stopped: 2,000 of 2,000 jobs canceled.').waitFor();
    expect(await app.jobs.depth('Echo')).toBe(1_000);
  });

  it('says that the list has changed, and shows the changes when asked', async () => {
    const app = await startDashboard('Express', new MemoryJobStore());
    const page = await openPage(`${app.url}/admin/jobs#/jobs?name=Echo`);
    await page.getByText('No job matches.').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    const { id } = await app.jobs.submit('Echo', {}, { delayMs: 60_000 });
    await page.getByText('Jobs have changed since.').waitFor();
    expect(await page.getByText(id).count()).toBe(0);
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.getByText(id).waitFor();
    expect(await page.getByText('Jobs have changed since.').count()).toBe(0);
  });

  it('has one stream, and none while its tab is hidden', async () => {
    const app = await startDashboard('Fastify', new MemoryJobStore());
    const { id } = await app.jobs.submit('Slow', {});
    const page = await openPage('about:blank');
    let open = 0;
    page.on('request', (request) => request.url().endsWith('stream') && open++);
    page.on('requestfailed', (request) => request.url().endsWith('stream') && open--);
    for (const view of ['', 'jobs', 'workers', 'schedules', `jobs/${id}`]) {
      await page.goto(`${app.url}/admin/jobs#/${view}`);
      await page.getByText('Live', { exact: true }).waitFor();
      await vi.waitUntil(() => open === 1);
    }
    const hide = (isHidden: boolean) =>
      page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'))`);
    await hide(true);
    await vi.waitUntil(() => open === 0);
    await hide(false);
    await vi.waitUntil(() => open === 1);
  });

  it('shows that the connection is lost, and reconnects', async () => {
    const app = await startDashboard('Fastify', new MemoryJobStore());
    const proxy = await startStrippingProxy('/ops', app.url);
    const page = await openPage(`${proxy.url}/admin/jobs`);
    await page.getByText('Live', { exact: true }).waitFor();
    proxy.server.closeAllConnections();
    await page.getByText('Connection lost, trying again').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
  });

  it('shows why a list cannot be read, and no jobs of the filter before', async () => {
    const app = await startDashboard('Fastify', new MemoryJobStore());
    const { id } = await app.jobs.submit('Echo', {}, { delayMs: 60_000 });
    const page = await openPage(`${app.url}/admin/jobs#/jobs`);
    await page.getByText(id).waitFor();
    await page.goto(`${app.url}/admin/jobs#/jobs?status=Lost`);
    await page.locator('main').getByText('Lost is not a status.').waitFor();
    expect(await page.getByText(id).count()).toBe(0);
    await page.goBack();
    await page.getByText(id).waitFor();
  });

  it('says that the session has ended, and goes on when it is renewed', async () => {
    const app = await startDashboard('Express', new MemoryJobStore());
    const proxy = await startStrippingProxy('/ops', app.url);
    const page = await openPage(`${proxy.url}/admin/jobs`);
    await page.getByText('Live', { exact: true }).waitFor();
    await page.setExtraHTTPHeaders({ 'x-key': 'wrong' });
    proxy.server.closeAllConnections();
    await page.getByText('Signed out: reload the page').waitFor();
    await page.setExtraHTTPHeaders({});
    await page.getByText('Live', { exact: true }).waitFor();
  });

  it('does not wait for ever for a server that does not answer', async () => {
    const app = await startDashboard('Fastify', new MemoryJobStore());
    await app.jobs.pause('Echo');
    const page = await openPage('about:blank');
    await page.clock.install();
    await page.goto(`${app.url}/admin/jobs`);
    const isAsked = new Promise<void>((resolve) => {
      void page.route('**/api/actions', () => resolve()); // never answered
    });
    await page.getByRole('button', { name: 'Resume Echo' }).click();
    await isAsked;
    await page.clock.runFor(61_000);
    await page.getByText('The server did not answer within 60 s.').waitFor();
  });

  it('tells how many jobs an action changed before it failed', async () => {
    const app = await startDashboard('Fastify', new MemoryJobStore());
    await app.jobs.pause('Echo');
    await Promise.all(Array.from({ length: 2_000 }, () => app.jobs.submit('Echo', {})));
    const page = await openPage(`${app.url}/admin/jobs#/jobs?status=Queued`);
    await page.getByRole('button', { name: 'Select all that match' }).click();
    await page.getByText('2,000 jobs match').waitFor();
    let steps = 0;
    await page.route('**/api/actions', (route) => (steps++ === 0 ? route.continue() : route.abort()));
    await page.getByRole('button', { name: 'Cancel jobs 2,000' }).click();
    await page.getByText('The server cannot be reached. Before that: 1,000 of 1,000 jobs canceled.').waitFor();
  });

  it('reads no schedules while its tab is hidden, and shows who paused one', async () => {
    const app = await startDashboard('Express', new MemoryJobStore());
    await app.jobs.schedules.upsert('daily', 'Echo', { cron: '@daily' });
    await app.jobs.schedules.pause('daily', { by: 'berta' });
    const page = await openPage('about:blank');
    await page.clock.install();
    let looks = 0;
    page.on('request', (sent) => sent.url().endsWith('api/schedules') && looks++);
    await page.goto(`${app.url}/admin/jobs#/schedules`);
    await page.getByText('by berta').waitFor();
    const hide = (isHidden: boolean) =>
      page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true })`);
    await hide(true);
    const before = looks;
    await page.clock.runFor(20_000);
    expect(looks).toBe(before);
    await hide(false);
    await page.clock.runFor(6_000);
    await vi.waitUntil(() => looks > before);
  });

  it('uses no more memory after an hour of messages', async () => {
    const app = await startDashboard('Fastify', new MemoryJobStore());
    const page = await openPage('about:blank');
    const names = Array.from({ length: 20 }, (_, n) => `Job${n}`);
    // The messages of 20 minutes at once, as often as the page asks.
    const snapshot = (at: number) => ({
      at,
      stats: names.map((name, n) => ({ name, status: 'Queued', count: at % (n + 7), oldestAgeMs: at % 9_000 })),
      paused: [],
      workers: 3,
      slots: 48,
      growing: [],
      history: {
        since: at - 900_000,
        names: Object.fromEntries(
          names.map((name) => [name, { completed: Array(15).fill(at % 11), failed: Array(15).fill(0) }]),
        ),
      },
    });
    let asked = 0;
    await page.route('**/api/stream', async (route) => {
      asked++;
      const messages = Array.from({ length: 600 }, (_, n) => `data: ${JSON.stringify(snapshot(Date.now() + n))}\n\n`);
      await route.fulfill({ contentType: 'text/event-stream', body: messages.join('') });
    });
    await page.clock.install();
    await page.goto(`${app.url}/admin/jobs`);
    const debuggee = await page.context().newCDPSession(page);
    const heap = async () => {
      await debuggee.send('HeapProfiler.collectGarbage');
      return (await debuggee.send('Runtime.getHeapUsage')).usedSize;
    };
    const hear = async (times: number) => {
      const until = asked + times;
      await vi.waitUntil(() => page.clock.runFor(2_000).then(() => asked >= until), { timeout: 30_000 });
      await page.getByText('Job19').waitFor();
    };
    await hear(1);
    const before = await heap();
    await hear(3);
    expect((await heap()) - before).toBeLessThan(1_000_000);
  });
});
