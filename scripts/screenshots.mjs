// Writes the screenshots of README and docs/dashboard.md: the demo with some jobs, light and dark. Run after `npm run build`,
// `npx nest build api` and `npm run build:page`.
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { chromium } from 'playwright-core';

const PORT = 3417;
const url = `http://127.0.0.1:${PORT}`;
const environment = { ...process.env, PORT: String(PORT) };
const demo = spawn(process.execPath, ['dist/apps/api/src/main.js'], { env: environment, stdio: 'ignore' });
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });

async function post(path, body) {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  return response.headers.get('location')?.split('/').at(-1);
}

async function submitJobs() {
  const ids = [];
  for (let index = 0; index < 60; index++) await post('/api/process-data', { data: `report ${index}` });
  for (let index = 0; index < 30; index++) ids.push(await post('/api/demo/sleep', { durationMs: 20_000 }));
  return ids;
}

try {
  for (let tries = 0; tries < 50 && !(await fetch(url).catch(() => null))?.ok; tries++) await delay(200);
  const page = await browser.newPage({ viewport: { width: 1320, height: 520 } });
  await page.goto(`${url}/dashboard`);
  await page.getByText('Live', { exact: true }).waitFor();
  const [id] = await submitJobs();
  await delay(Number(process.env.WATCH_MS ?? 20_000));
  await submitJobs();
  await delay(3_000);
  await mkdir('docs/images', { recursive: true });
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    for (const [name, view, text] of [
      ['overview', '', 'Queues'],
      ['jobs', 'jobs', 'Submitted'],
      ['job', `jobs/${id}`, 'Timeline'],
    ]) {
      await page.goto(`${url}/dashboard#/${view}`);
      await page.getByText(text).first().waitFor();
      await page.screenshot({ path: `docs/images/dashboard-${name}-${colorScheme}.png` });
    }
  }
} finally {
  await browser.close();
  demo.kill('SIGKILL');
}
