import { eventually } from 'nestjs-async-endpoints/testing';
import type { AppProcess } from '../app-process.js';
import { figure, LEASE_MS, PATIENCE_MS, SWEEP_MS, KINDS, System, TAKEN_OVER } from './system.js';

const WAS_LOST = 'was lost to another worker: Another worker may have taken over the job.';

describe.each(KINDS)('When a worker dies, on %s', (kind) => {
  let system: System;

  beforeAll(async () => {
    system = await System.start(kind);
  });

  afterEach(() => system.reset());

  afterAll(() => system.stop());

  it('by SIGKILL in the middle of a job, another worker finishes it', async () => {
    const workers = await Promise.all([system.worker(), system.worker()]);
    const [id] = await system.submit('Sleep', { durationMs: 700 });
    const victim = await system.holder(id, workers);
    await victim.kill();
    const killedAt = Date.now();
    const [job] = await system.until([id], 'Completed');
    expect(job).toMatchObject({ ...TAKEN_OVER, result: '{"durationMs":700}' });
    expect(workers.map((worker) => worker.count('slept 700 ms'))).toEqual(workers.map((w) => (w === victim ? 0 : 1)));
    const recoveryMs = (job?.startedAt as number) - killedAt;
    figure(
      `${kind}, R1: recovery after SIGKILL, with a lease of ${LEASE_MS} ms and sweeps every ${SWEEP_MS} ms: ${recoveryMs} ms`,
    );
    expect(recoveryMs).toBeLessThan(LEASE_MS + SWEEP_MS + PATIENCE_MS);
  });

  it('or is stopped by SIGSTOP past its lease, another finishes its job, and its signal is aborted when it continues', async () => {
    const workers = await Promise.all([system.worker(), system.worker()]);
    // Longer than lease, sweep and poll together, so that it still sleeps when it comes back.
    const [id] = await system.submit('Sleep', { durationMs: 8_000 });
    const stopped = await system.holder(id, workers);
    stopped.signal('SIGSTOP');
    const other = await system.holder(id, without(workers, stopped));
    stopped.signal('SIGCONT');
    await eventually(() => stopped.count(WAS_LOST) === 1);
    expect(await stopped.running()).toBe(0);
    const [job] = await system.until([id], 'Completed');
    expect(job).toMatchObject({ ...TAKEN_OVER });
    expect([stopped, other].map((worker) => worker.count('slept 8000 ms'))).toEqual([0, 1]);
    expect(other.count(WAS_LOST)).toBe(0);
  });

  it('or blocks its event loop, its late result is rejected', async () => {
    const workers = await Promise.all([system.run('probe'), system.run('probe')]);
    const [id] = await system.submit('Probe', { blockMs: 2 * LEASE_MS + SWEEP_MS });
    const blocked = await system.holder(id, workers);
    const [job] = await system.until([id], 'Completed');
    expect(job).toMatchObject({ ...TAKEN_OVER, result: '{"fence":3}' });
    await eventually(() => blocked.count(WAS_LOST) === 1);
    expect(await system.job(id)).toEqual(job);
    figure(`${kind}, R4: late results of a worker whose lease had run out: 1 offered, 0 accepted`);
  });

  it('in each run of one job, that job fails and no other is affected', async () => {
    const bystander = await system.worker();
    const others = await system.submit('Sleep', { durationMs: 3_000 }, 8);
    const [killer] = await system.submit('Probe', { crash: true });
    await eventually(async () => {
      if ((await system.job(killer)).status === 'Queued') expect(await system.spawn('probe').exitCode()).toBeNull();
      return (await system.job(killer)).status === 'Failed';
    }, 60_000);
    const job = await system.job(killer);
    expect(job).toMatchObject({ error: { code: 'WORKER_CRASHED' }, crashes: 3, retryCount: 0 });
    const harmless = await system.submit('Probe', {});
    await system.run('probe');
    const unharmed = [...(await system.until(harmless, 'Completed')), ...(await system.until(others, 'Completed'))];
    for (const other of unharmed) expect(other).toMatchObject({ crashes: 0, fence: 1 });
    expect(bystander.count('slept 3000 ms')).toBe(8);
    figure(`${kind}, R6: a job that kills its worker every time: failed after 3 crashes, 9 others unharmed`);
  }, 120_000);
});

function without(workers: readonly AppProcess[], one: AppProcess): AppProcess[] {
  return workers.filter((worker) => worker !== one);
}
