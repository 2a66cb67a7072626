import type { JobRecord } from 'nestjs-async-endpoints';
import { eventually } from 'nestjs-async-endpoints/testing';
import type { AppProcess } from '../app-process.js';
import { figure, isHeldBy, KINDS, System } from './system.js';

const KILLS = 4;
const JOBS_PER_KILL = 100;
/** Long enough to see what the victim held before it is taken back. */
const SETTINGS = { ASYNC_WORKER_LEASE_MS: '3000' };

describe.each(KINDS)('Three workers on %s, one of which is killed repeatedly', (kind) => {
  let system: System;

  beforeAll(async () => {
    system = await System.start(kind);
  });

  afterEach(() => system.reset());

  afterAll(() => system.stop());

  it('complete every job once, and count every crash', async () => {
    const workers = await Promise.all([1, 2, 3].map(() => system.worker(SETTINGS)));
    const ids: string[] = [];
    const interrupted: string[] = [];
    for (let kill = 1; kill <= KILLS; kill++) {
      const victim = workers.shift() as AppProcess;
      ids.push(...(await system.submit('Sleep', { durationMs: 250 }, JOBS_PER_KILL)));
      await eventually(async () => mayCrash(await system.jobs(ids), victim));
      await victim.kill();
      interrupted.push(...(await system.jobs(ids)).filter((job) => isHeldBy(victim, job)).map(({ id }) => id));
      workers.push(await system.worker(SETTINGS));
    }
    const jobs = await system.until(ids, 'Completed');
    const crashes = jobs.reduce((sum, job) => sum + job.crashes, 0);
    expect(crashes).toBe(interrupted.length);
    expect(crashes).toBeGreaterThanOrEqual(KILLS);
    for (const { id, retryCount, crashes: own, fence } of jobs) {
      expect({ id, retryCount, own }).toEqual({ id, retryCount: 0, own: interrupted.filter((i) => i === id).length });
      expect(fence).toBe(2 * own + 1); // claimed, and for each crash revoked and claimed again; no more
    }
    const killed = `${KILLS} SIGKILLs in the middle of ${crashes} runs`;
    figure(`${kind}, R1: ${ids.length} jobs, 3 workers, ${killed}: 0 lost, ${jobs.length} completed once`);
  });
});

/** Once it runs some, and no job would crash for the third and last time. */
function mayCrash(jobs: readonly JobRecord[], worker: AppProcess): boolean {
  const running = jobs.filter(({ status }) => status === 'InProgress');
  return running.some((job) => isHeldBy(worker, job)) && running.every(({ crashes }) => crashes < 2);
}
