import { hasBrowser, openPage } from './browser.js';
import { MemoryJobStore } from './built.js';
import { startDashboard } from './dashboard-app.js';
import { get, getJson } from './requests.js';

describe.skipIf(!hasBrowser)('The page', () => {
  it('shows numbers beyond 2^53 as they are stored', async () => {
    const store = new MemoryJobStore();
    const app = await startDashboard('Express', store);
    const { id } = await app.jobs.submit('Foreign', {}, { delayMs: 60_000 });
    const [job] = await store.find([id]);
    const [waiting, running] = ['6', '5'].map((version) => ({
      ...job!,
      id: id.replace('-7', `-${version}`),
      delayMs: 0,
      idempotency: null,
      queueLimit: null,
      payload: '{"request":{"id":9007199254740993}}',
    }));
    await store.submit([running!], { queueLimit: 100 });
    const slots = new Map([['Foreign', 1]]);
    const [claim] = await store.claim({ worker: 'foreign', leaseMs: 60_000, limit: 1, slots });
    await store.submit([waiting!], { queueLimit: 100 });
    const page = await openPage(`${app.url}/admin/jobs#/jobs/${waiting!.id}`);
    await page.getByRole('region', { name: 'Payload' }).getByText('id: 9007199254740993').waitFor();
    await page.goto(`${app.url}/admin/jobs#/jobs/${running!.id}`);
    await page.getByText('Live', { exact: true }).waitFor();
    const { fence } = claim!.job;
    const result = '[12345678901234567890,1.50]';
    await store.settle([{ id: running!.id, name: 'Foreign', fence, verb: 'complete', result }]);
    const shown = page.getByRole('region', { name: 'Result' });
    await shown.getByText('0: 12345678901234567890').waitFor();
    await shown.getByText('1: 1.50').waitFor();
    await shown.getByText('27 B').waitFor();
    const text = await (await get(app, `/api/jobs/${running!.id}`)).text();
    expect(text).toContain(`"result":${result}`);
  });

  it('remembers its theme, beside one of the application', async () => {
    const app = await startDashboard('Fastify', new MemoryJobStore());
    const page = await openPage(`${app.url}/admin/jobs`, { colorScheme: 'light' });
    await page.evaluate('localStorage.setItem("theme", "dracula")');
    const background = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const light = await background();
    await page.getByLabel('Theme').selectOption('Dark');
    const dark = await background();
    expect(dark).not.toBe(light);
    await page.reload();
    await page.getByLabel('Theme').waitFor();
    expect([await background(), await page.getByLabel('Theme').inputValue()]).toEqual([dark, 'dark']);
    await page.getByLabel('Theme').selectOption('System');
    expect(await background()).toBe(light);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await background()).toBe(dark);
    await page.getByLabel('Theme').selectOption('Light');
    expect(await background()).toBe(light);
    expect(await page.evaluate('localStorage.getItem("theme")')).toBe('dracula');
  });

  it('has ages that tick, by the clock of the server', async () => {
    const app = await startDashboard('Express', new MemoryJobStore());
    await app.jobs.pause('Echo');
    const { id } = await app.jobs.submit('Echo', {});
    const page = await openPage('about:blank');
    await page.clock.install({ time: Date.now() + 3 * 3_600_000 });
    await page.goto(`${app.url}/admin/jobs#/jobs/${id}`);
    const age = page.getByText('Waits for a worker').locator('..').locator('.age');
    await age.waitFor();
    const seconds = async () => Number(/^(\d+) s$/.exec(await age.innerText())?.[1]);
    const before = await seconds();
    expect(before).toBeLessThan(60);
    await page.clock.runFor(5_000);
    await vi.waitUntil(async () => (await seconds()) >= before + 4);
    expect(await getJson(app, `/api/jobs/${id}`)).toMatchObject({ status: 'Queued' });
  });
});
