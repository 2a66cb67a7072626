import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MemoryJobStore } from 'nestjs-async-endpoints';
import { eventually, ScriptedHandler } from 'nestjs-async-endpoints/testing';
import { startWorker } from '../worker/start-worker.js';
import { Checkpoints } from './checkpoints.js';
import { FetchPage, FetchPageHandler } from './fetch-page.js';
import { NightlyReport, NightlyReportHandler } from './nightly-report.js';
import { Pages } from './pages.js';
import { Reminders } from './reminders.js';
import { Reindex, ReindexHandler } from './reindex.js';

const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8');

it.each([
  ['handlers', 'fetch-page.ts'],
  ['jobs-from-code', 'pages.ts'],
  ['long-jobs', 'reindex.ts'],
  ['own-store', 'own-store.e2e-spec.ts'],
  ['recurring', 'nightly-report.ts'],
  ['recurring', 'reminders.ts'],
  ['testing', 'testing/greetings.ts'],
  ['testing', 'testing/unit.e2e-spec.ts'],
  ['testing', 'testing/memory.e2e-spec.ts'],
  ['testing', 'testing/redis.ts'],
])('docs/%s.md shows the exact code of %s, which runs', async (name, file) => {
  expect(await read(`../../docs/${name}.md`)).toContain('```ts\n' + (await read(file)) + '```\n');
});

it('docs/own-store.md shows exact excerpts of its example', async () => {
  const [guide, ...example] = await Promise.all(
    ['../../docs/own-store.md', 'own-store.e2e-spec.ts', 'table-store.ts', 'job-table.ts'].map(read),
  );
  const blocks = [...(guide as string).matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code as string);
  expect(blocks.length).toBeGreaterThan(3);
  expect(blocks.filter((block) => !example.some((file) => file.includes(block)))).toEqual([]);
});

/** A site whose page is there when it has been asked for twice. */
async function startSite(): Promise<{ url: string; asked: () => number }> {
  let asked = 0;
  const site = createServer((request, response) => {
    if (request.url === '/gone') return response.writeHead(404).end();
    return ++asked === 1 ? response.writeHead(503, { 'Retry-After': '0' }).end() : response.end('twelve bytes');
  });
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  onTestFinished(() => void site.close());
  return { url: `http://127.0.0.1:${(site.address() as AddressInfo).port}`, asked: () => asked };
}

it('The handler of docs/handlers.md fails or retries a job by the error that it throws', async () => {
  const site = await startSite();
  const { jobs } = await startWorker({}, [ScriptedHandler, FetchPageHandler]);
  const gone = await jobs.submit(FetchPage, { url: `${site.url}/gone` });
  expect(await jobs.waitFor(gone.id)).toMatchObject({
    status: 'Failed',
    retryCount: 0,
    error: { code: 'NO_SUCH_PAGE' },
  });
  const later = await jobs.submit(FetchPage, { url: site.url });
  expect(await jobs.waitFor(later.id)).toMatchObject({ status: 'Completed', retryCount: 1, result: { length: 12 } });
});

it('The service of docs/jobs-from-code.md submits a job once, and reports its outcome', async () => {
  const site = await startSite();
  const { app, jobs } = await startWorker({}, [ScriptedHandler, FetchPageHandler, Pages]);
  const pages = app.get(Pages);
  const tomorrow = new Date(Date.now() + 86_400_000);
  const planned = await pages.plan(site.url, tomorrow, 'order-17');
  expect(await pages.plan(site.url, tomorrow, 'order-17')).toBe(planned);
  expect(await jobs.find(planned)).toMatchObject({ status: 'Scheduled', priority: 10 });
  await jobs.cancel(planned);
  expect(await pages.outcome(planned)).toBe('Canceled');
  const now = await pages.plan(`${site.url}/gone`, new Date(), 'order-18');
  expect(await pages.outcome(now)).toBe('NO_SUCH_PAGE');
  expect(site.asked()).toBe(0);
});

it('The handler of docs/long-jobs.md continues from its checkpoint when its worker is replaced, without spending an attempt', async () => {
  const [store, checkpoints] = [new MemoryJobStore(), new Checkpoints()];
  const providers = [ReindexHandler, { provide: Checkpoints, useValue: checkpoints }];
  const old = await startWorker({ store, worker: { drainTimeoutMs: 0 } }, providers);
  const { id } = await old.jobs.submit(Reindex, { pages: 100 });
  await eventually(() => checkpoints.written.length > 5);
  const next = await startWorker({ store }, providers);
  await old.app.close();
  expect(checkpoints.written.length).toBeLessThan(100);
  expect(await next.jobs.waitFor(id)).toMatchObject({ status: 'Completed', retryCount: 0, crashes: 0, fence: 2 });
  expect(checkpoints.written).toEqual(Array.from({ length: 100 }, (_, page) => page + 1));
});

it('The schedules of docs/recurring.md are created, triggered and stopped as described', async () => {
  const { app, jobs } = await startWorker({}, [NightlyReportHandler, Reminders]);
  await eventually(() => jobs.schedules.find('nightly-report'));
  const declared = await jobs.schedules.find('nightly-report');
  expect(declared).toMatchObject({ timing: { cron: '0 3 * * *', timeZone: 'Europe/Zurich' }, job: NightlyReport.name });
  expect(declared?.nextAt?.getUTCMinutes()).toBe(0);
  const job = await jobs.schedules.trigger('nightly-report');
  expect((await jobs.waitFor<string>(job.id)).result).toMatch(/^full report of 20\d\d-/);
  const reminders = app.get(Reminders);
  expect(await reminders.weekly('ann', 8, 'Asia/Tokyo')).toMatchObject({ owner: 'ann', isDeclared: false });
  expect((await reminders.weekly('ann', 9, 'Asia/Tokyo')).nextAt?.getUTCHours()).toBe(0);
  await reminders.stop('ann');
  expect((await jobs.schedules.list()).schedules.map(({ name }) => name)).toEqual(['nightly-report']);
});
