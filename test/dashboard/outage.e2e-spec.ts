import { redisCli, startRedisServer } from '@app/redis-server';
import { hasBrowser, openPage } from './browser.js';
import { MemoryJobStore, RedisJobStore } from './built.js';
import { startDashboard } from './dashboard-app.js';

const AWAY = 'The store does not answer. The page goes on when it does.';

describe.skipIf(!hasBrowser)('While its store is down, the page', () => {
  it('says so, keeps its last figures, tells why an action fails, and goes on by itself', async () => {
    const server = await startRedisServer(['--appendonly', 'yes', '--appendfsync', 'always']);
    onTestFinished(() => server.stop());
    const app = await startDashboard('Fastify', new RedisJobStore({ url: server.url }));
    await app.jobs.pause('Echo');
    const { id } = await app.jobs.submit('Echo', { total: 3 });
    const [overview, list, job, schedules] = await Promise.all(
      ['', 'jobs', `jobs/${id}`, 'schedules'].map((view) => openPage(`${app.url}/admin/jobs#/${view}`)),
    );
    const pages = [overview!, list!, job!, schedules!];
    for (const page of pages) await page.getByText('Live', { exact: true }).waitFor();
    await list!.getByText(id).waitFor();
    await job!.getByText('total: 3').waitFor();
    await server.crash();
    for (const page of pages) await page.getByText('Store unavailable').waitFor();
    for (const page of pages) await page.getByText(AWAY).waitFor();
    await overview!.getByRole('button', { name: 'Resume Echo' }).click();
    await overview!.getByText('The job store cannot be reached.').waitFor();
    await job!.getByRole('button', { name: 'Cancel' }).click();
    await job!.getByText('The job store cannot be reached.').waitFor();
    await list!.getByRole('button', { name: 'Refresh' }).click();
    await list!.getByText('The job store cannot be reached.').waitFor();
    await list!.getByText(id).waitFor();
    await schedules!.getByText('The job store cannot be reached.').waitFor();
    const late = await openPage(`${app.url}/admin/jobs#/jobs/${id}`);
    await late.getByText(AWAY).waitFor();
    await server.restart();
    for (const page of [...pages, late]) await page.getByText('Live', { exact: true }).waitFor({ timeout: 30_000 });
    for (const page of [...pages, late]) {
      await vi.waitUntil(async () => (await page.locator('.stale').count()) === 0, { timeout: 10_000 });
    }
    await late.getByText('total: 3').waitFor();
    await overview!.getByRole('button', { name: 'Resume Echo' }).click();
    await overview!.getByRole('button', { name: 'Pause Echo' }).waitFor();
  });
});

describe.skipIf(!hasBrowser)('The page of a job that is gone', () => {
  it('says so and why, keeps its last state without actions, and asks no more', async () => {
    const app = await startDashboard('Express', new MemoryJobStore(), { sweepIntervalMs: 100, completedMs: 3_000 });
    const { id } = await app.jobs.waitFor((await app.jobs.submit('Echo', { result: 'done' })).id);
    const page = await openPage(`${app.url}/admin/jobs#/jobs/${id}`);
    await page.getByText('"done"').waitFor();
    await page
      .getByText('The store no longer has this job. Completed jobs of this name are kept for 3.0 s')
      .waitFor({ timeout: 30_000 });
    await page.getByText('No such job').waitFor();
    await page.getByText('"done"').waitFor();
    await page.clock.install();
    let asked = 0;
    page.on('request', () => asked++);
    await page.clock.runFor(60_000);
    expect(asked).toBe(0);
    // Also after a reload, when the page knows nothing of it.
    await page.reload();
    await page.getByText('There is no such job, or its retention has passed.').waitFor();
    await page.getByText('No such job', { exact: true }).waitFor();
  });

  it('tells that the store has lost it before its retention passed', async () => {
    const server = await startRedisServer();
    onTestFinished(() => server.stop());
    const app = await startDashboard('Fastify', new RedisJobStore({ url: server.url }));
    const { id } = await app.jobs.waitFor((await app.jobs.submit('Echo', { fail: 'no' })).id);
    const page = await openPage(`${app.url}/admin/jobs#/jobs/${id}`);
    await page.getByText('Live', { exact: true }).waitFor();
    await redisCli('-p', String(server.port), 'flushall');
    const text =
      'although Failed jobs of this name are kept for 7 d (retention). Somebody deleted it, or the store has lost';
    await page.getByText(text).waitFor({ timeout: 30_000 });
    expect(await page.getByRole('button', { name: 'Rerun' }).count()).toBe(0);
  });
});
