import { MemoryJobStore } from 'nestjs-async-endpoints';
import { eventually, Scripted, unreliable } from 'nestjs-async-endpoints/testing';
import { startWorker } from './start-worker.js';

const QUICK = { leaseMs: 150, abortGraceMs: 20, pollingIntervalMs: 10 };
const SWEEP = { sweepIntervalMs: 10 };

/** The code of the reason for which a signal was aborted. */
async function reasonOf(signal: AbortSignal): Promise<string> {
  await eventually(() => signal.aborted);
  return (signal.reason as { code: string }).code;
}

describe('A run that must end', () => {
  it('past its timeout has its signal aborted, and counts as a failed attempt', async () => {
    const { submit, reached, handler } = await startWorker({ jobs: { timeoutMs: 20, defaultMaxRetries: 0 } });
    const id = await submit({ do: 'stay', obedient: true });
    const { context } = await handler.nextRun();
    expect(await reasonOf(context.signal)).toBe('JOB_TIMEOUT');
    expect((await reached(id, 'Failed')).error?.code).toBe('JOB_TIMEOUT');
  });

  it('past its timeout that ignores its signal loses its slot', async () => {
    const { submit, reached, handler, worker } = await startWorker({
      jobs: { timeoutMs: 20, defaultMaxRetries: 0 },
      worker: { ...QUICK, maxConcurrency: 1 },
    });
    const id = await submit({ do: 'stay' });
    const { leave } = await handler.nextRun();
    await reached(id, 'Failed');
    await eventually(() => worker.running === 0);
    await reached(await submit({ do: 'return' }), 'Completed');
    leave.open('too late');
    expect((await reached(id, 'Failed')).result).toBeNull();
  });

  it('of a canceled job has its signal aborted at once, and its result is discarded', async () => {
    const { submit, jobs, handler, reached } = await startWorker({ worker: { abortGraceMs: 60_000 } });
    const id = await submit({ do: 'stay' });
    const { context, leave } = await handler.nextRun();
    await jobs.cancel(id);
    expect(await reasonOf(context.signal)).toBe('JOB_CANCELED');
    leave.open('nobody wants it');
    const job = await reached(id, 'Canceled');
    expect(job.result).toBeNull();
    await expect(jobs.cancel(id)).resolves.toMatchObject({ status: 'Canceled' });
  });

  it('of a disconnected worker continues until the store reports the lost claim; its late result is rejected', async () => {
    const truth = new MemoryJobStore();
    const cut = unreliable(truth);
    const loser = await startWorker({ store: cut.store, worker: { ...QUICK, abortGraceMs: 60_000 } });
    const id = await loser.submit({ do: 'stay' });
    const late = await loser.handler.nextRun();
    cut.hang();
    await eventually(async () => ((await truth.find([id]))[0]?.leaseUntil ?? Infinity) < Date.now() - QUICK.leaseMs);
    expect(late.context.signal.aborted).toBe(false);

    const winner = await startWorker({ store: truth, worker: QUICK, recovery: SWEEP });
    const { context, leave } = await winner.handler.nextRun();
    expect(context.fence).toBeGreaterThan(late.context.fence);
    expect(context.attempt).toBe(1);
    cut.mend();
    expect(await reasonOf(late.context.signal)).toBe('CLAIM_LOST');
    late.leave.open('from the loser');
    leave.open('from the winner');
    expect(await winner.reached(id, 'Completed')).toMatchObject({
      result: 'from the winner',
      retryCount: 0,
    });
  });

  it('of a disconnected worker is aborted at the end of its lease with `abortOnLeaseEnd`', async () => {
    const cut = unreliable(new MemoryJobStore());
    const { submit, handler } = await startWorker({ store: cut.store, worker: { ...QUICK, abortOnLeaseEnd: true } });
    await submit({ do: 'stay', obedient: true });
    const { context } = await handler.nextRun();
    cut.hang();
    expect(await reasonOf(context.signal)).toBe('CLAIM_LOST');
    cut.mend();
  });

  it('of a recovered claim is aborted by a notification, long before its next renewal', async () => {
    let now = Date.now();
    const store = new MemoryJobStore({ now: () => now });
    const { submit, handler, jobs } = await startWorker({ store, recovery: { enabled: false } });
    await submit({ do: 'stay', obedient: true });
    const { context } = await handler.nextRun();
    now += 60_000;
    expect(await jobs.recover()).toHaveLength(1);
    expect(await reasonOf(context.signal)).toBe('CLAIM_LOST');
    const again = await handler.nextRun();
    expect(again.context.signal.aborted).toBe(false);
    again.leave.open(null);
  });

  it('keeps its claim as long as it is renewed', async () => {
    const { submit, handler, reached, store } = await startWorker({ worker: QUICK, recovery: SWEEP });
    const id = await submit({ do: 'stay' });
    const { context, leave } = await handler.nextRun();
    const [claimed] = await store.find([id]);
    await eventually(async () => {
      const [job] = await store.find([id]);
      return (job?.leaseUntil ?? 0) > (claimed?.leaseUntil ?? 0) + 2 * QUICK.leaseMs;
    });
    expect(context.signal.aborted).toBe(false);
    leave.open('after all');
    expect(await reached(id, 'Completed')).toMatchObject({ result: 'after all', crashes: 0 });
  });

  it('settles when the store is back after an outage', async () => {
    const cut = unreliable(new MemoryJobStore());
    const { submit, handler, reached } = await startWorker({ store: cut.store });
    const id = await submit({ do: 'stay' });
    const { leave } = await handler.nextRun();
    cut.fail({ verbs: ['settle'] });
    leave.open('kept');
    cut.mend();
    expect((await reached(id, 'Completed')).result).toBe('kept');
  });
});

describe('A job whose worker dies', () => {
  it('every time fails with WORKER_CRASHED, without effect on others', async () => {
    let now = Date.now();
    const store = new MemoryJobStore({ now: () => now });
    const vanishing = await startWorker({ store, role: 'api' });
    const { id } = await vanishing.jobs.submit(Scripted, { do: 'return' });
    for (let crash = 0; crash < 3; crash++) {
      await store.claim({ worker: 'gone', leaseMs: 100, limit: 1, slots: new Map([['Scripted', 1]]) });
      now += 100;
      await vanishing.jobs.recover();
    }
    const failed = await vanishing.reached(id, 'Failed');
    expect(failed).toMatchObject({ crashes: 3, retryCount: 0, error: { code: 'WORKER_CRASHED' } });
    expect(failed.completedAt).not.toBeNull();
    const worker = await startWorker({ store });
    await worker.reached(await worker.submit({ do: 'return' }), 'Completed');
    await worker.jobs.rerun(id);
    await worker.reached(id, 'Completed');
  });

  it('is recovered by the sweep of another worker, which also purges terminal jobs', async () => {
    const truth = new MemoryJobStore();
    await truth.open();
    const worker = await startWorker({
      store: truth,
      recovery: SWEEP,
      jobs: { retention: { completedMs: 30 } },
    });
    const id = await worker.submit({ do: 'return' });
    await eventually(async () => (await worker.jobs.find(id)) === null);
    expect(await worker.jobs.stats()).toEqual([]);
  });
});
