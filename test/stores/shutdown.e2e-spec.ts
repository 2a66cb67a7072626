import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { eventually } from 'nestjs-async-endpoints/testing';
import type { AppProcess } from '../app-process.js';
import { figure, PATIENCE_MS, KINDS, System } from './system.js';

/** The default of `worker.abortGraceMs`. */
const ABORT_GRACE_MS = 2_000;

describe.each(KINDS)('A worker that gets SIGTERM, on %s', (kind) => {
  let system: System;

  beforeAll(async () => {
    system = await System.start(kind);
  });

  afterEach(() => system.reset());

  afterAll(() => system.stop());

  it('finishes its running jobs under load: no job is lost or runs twice', async () => {
    // Longer than the test may take: a worker that exits did not wait for its end.
    const settings = { ASYNC_WORKER_DRAIN_TIMEOUT_MS: '600000' };
    const [first, second] = await Promise.all([system.worker(settings), system.worker(settings)]);
    const ids = await system.submit('Sleep', { durationMs: 300 }, 200);
    await eventually(async () => second.count(SLEPT) >= 20 && (await first.running()) === 8);
    const tookMs = await terminated(first);
    const jobs = await system.until(ids, 'Completed');
    expect(jobs.filter(({ crashes, retryCount }) => crashes + retryCount > 0)).toEqual([]);
    const completions = () => first.count(SLEPT) + second.count(SLEPT);
    await eventually(() => completions() >= 200); // what a process wrote arrives later than its jobs
    expect(first.count(SLEPT)).toBeGreaterThanOrEqual(8);
    expect(completions()).toBe(200);
    figure(`${kind}, R5: SIGTERM with 8 of 200 jobs running: exit 0 after ${tookMs} ms, 0 lost, 0 run twice`);
  });

  it('releases jobs that still run at the end of its budget, without spending an attempt, and exits', async () => {
    const worker = await system.worker({ ASYNC_WORKER_DRAIN_TIMEOUT_MS: '300' });
    const ids = await system.submit('Sleep', { durationMs: 600_000 }, 8);
    await eventually(async () => (await worker.running()) === 8);
    const tookMs = await terminated(worker);
    expect(tookMs).toBeGreaterThanOrEqual(300);
    expect(tookMs).toBeLessThan(300 + ABORT_GRACE_MS + PATIENCE_MS);
    for (const job of await system.jobs(ids)) {
      expect(job).toMatchObject({ status: 'Queued', retryCount: 0, crashes: 0, worker: null });
    }
    figure(
      `${kind}, R5: SIGTERM with 8 endless jobs and a budget of 300 ms: exit 0 after ${tookMs} ms, all 8 given back`,
    );
  });

  it.skipIf(kind === 'SQLite')(
    'exits while the server is down, idle or in the middle of a job',
    async () => {
      // The server comes back when both have exited. The result of the job is held until the drain budget is spent.
      const start = () => system.worker({ ASYNC_WORKER_DRAIN_TIMEOUT_MS: '3000' });
      const [idle, busy] = await Promise.all([start(), start()]);
      await eventually(async () => (await system.store.workers()).length === 2);
      await system.submit('Sleep', { durationMs: 2_000 });
      await eventually(async () => (await idle.running()) + (await busy.running()) === 1);
      await system.backend.crash!();
      try {
        figure(
          `${kind}, R5: SIGTERM while the server is down: exit 0 after ${(await Promise.all([idle, busy].map(terminated))).join(' and ')} ms`,
        );
        expect(idle.count('its outcome is not stored') + busy.count('its outcome is not stored')).toBe(1);
      } finally {
        await system.backend.restart!();
        await eventually(() => system.store.ping().then(() => true));
      }
    },
    60_000,
  );

  it('leaves no timer and no connection after the application is closed', async () => {
    const { stdout } = await run(process.execPath, [CLOSING_APP], {
      env: { ...process.env, STORE: JSON.stringify(system.backend.store) },
    });
    expect(JSON.parse(stdout)).toEqual([]);
  });
});

const run = promisify(execFile);
const CLOSING_APP = new URL('closing-app.mjs', import.meta.url).pathname;
const SLEPT = 'slept 300 ms';

/** How long it took to exit, in order. */
async function terminated(worker: AppProcess): Promise<number> {
  const startedAt = performance.now();
  worker.signal('SIGTERM');
  expect(await worker.exitCode()).toBe(0);
  return Math.round(performance.now() - startedAt);
}
