// Writes the screenshots of README and docs/dashboard.md: the demo with some minutes of jobs, light and dark. Run after
// `npm run build`, `npx nest build api` and `npm run build:page`. WATCH_MS shortens the minutes.
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { chromium } from 'playwright-core';

const PORT = 3417;
const WATCH_MS = Number(process.env.WATCH_MS ?? 240_000);
const url = `http://127.0.0.1:${PORT}`;
const environment = { ...process.env, PORT: String(PORT), ASYNC_STORE: 'memory' };
const demo = spawn(process.execPath, ['dist/apps/api/src/main.js'], { env: environment, stdio: 'ignore' });
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });

async function post(path, body, type = 'application/json') {
  const text = type === 'application/json' ? JSON.stringify(body) : body;
  const response = await fetch(url + path, { method: 'POST', headers: { 'content-type': type }, body: text });
  return response.headers.get('location')?.split('/').at(-1);
}

async function submitJobs(round) {
  for (let n = 0; n < 6 + 4 * Math.sin(round / 12); n++) await post('/api/process-data', { data: `report ${n}` });
  for (let n = 0; n < 2; n++) await post('/api/demo/unreliable', { failures: n });
  if (round % 3 === 0) await post('/api/csv-summaries', 'name,age\nAda,36\n', 'text/csv');
  if (round % 20 === 0) await post('/api/csv-summaries', 'name,age\n"Ada,36\n', 'text/csv');
  if (round % 8 === 0) await post('/api/demo/sleep', { durationMs: 9_000 });
}

try {
  for (let tries = 0; tries < 50 && !(await fetch(url).catch(() => null))?.ok; tries++) await delay(200);
  for (let round = 0; round * 1_000 < WATCH_MS; round++) {
    await submitJobs(round);
    await delay(1_000);
  }
  const page = await browser.newPage({ viewport: { width: 1_320, height: 640 }, reducedMotion: 'reduce' });
  await page.goto(`${url}/dashboard`);
  await page.getByRole('button', { name: 'Pause SummarizeCsv' }).click();
  await page.mouse.move(0, 0);
  for (let n = 0; n < 4; n++) await post('/api/csv-summaries', 'name,age\nAda,36\n', 'text/csv');
  const [id] = await Promise.all(Array.from({ length: 12 }, () => post('/api/demo/sleep', { durationMs: 60_000 })));
  await delay(18_000);
  await mkdir('docs/images', { recursive: true });
  for (const [name, view, text] of [
    ['job', `jobs/${id}`, 'Timeline'],
    ['overview', '', 'Queues'],
    ['jobs', 'jobs', 'Submitted'],
    ['workers', 'workers', 'pid'],
  ]) {
    await page.goto(`${url}/dashboard#/${view}`);
    await page.getByText(text).first().waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `docs/images/dashboard-${name}-${colorScheme}.png` });
    }
  }
} finally {
  await browser.close();
  demo.kill('SIGKILL');
}
