import { AsyncHandler, defineJob, type JobHandler, MemoryJobStore } from 'nestjs-async-endpoints';
import type { ClaimRequest } from 'nestjs-async-endpoints/store';
import { eventually, gate, Scripted, ScriptedHandler, unreliable } from 'nestjs-async-endpoints/testing';
import { startWorker } from './start-worker.js';

/** So long that no test lives to see a poll. */
const NEVER_POLLS = { pollingIntervalMs: 3_600_000 };

/** A store, and the limits of all claims. */
function counting() {
  const limits: number[] = [];
  class Counting extends MemoryJobStore {
    override claim(request: ClaimRequest) {
      limits.push(request.limit);
      return super.claim(request);
    }
  }
  return { limits, store: new Counting() };
}

describe('A worker claims', () => {
  it('only as many jobs as it can start now', async () => {
    const { jobs, handler, worker } = await startWorker({ worker: { maxConcurrency: 2 } });
    for (let n = 0; n < 10; n++) await jobs.submit(Scripted, { do: 'stay' });
    const runs = [await handler.nextRun(), await handler.nextRun()];
    expect(await jobs.depth('Scripted')).toBe(8);
    expect(worker.running).toBe(2);
    runs[0]?.leave.open(null);
    await handler.nextRun();
    expect(await jobs.depth()).toBe(7);
    for (const run of handler.runs) run.leave.open(null);
    await eventually(async () => {
      for (const run of handler.runs) run.leave.open(null);
      return (await jobs.depth()) === 0 && worker.running === 0;
    });
    expect(handler.runs).toHaveLength(10);
  });

  it('at most maxClaimBatchSize per call, and repeats until its slots are full', async () => {
    const { limits, store } = counting();
    const worker = { maxConcurrency: 5, maxClaimBatchSize: 2, ...NEVER_POLLS };
    const { jobs, handler } = await startWorker({ store, worker });
    await jobs.submitMany(
      Scripted,
      Array.from({ length: 7 }, () => ({ payload: { do: 'stay' } })),
    );
    for (let n = 0; n < 5; n++) await handler.nextRun();
    expect(Math.max(...limits)).toBe(2);
    expect(await jobs.depth()).toBe(2);
    await eventually(async () => {
      for (const run of handler.runs) run.leave.open(null);
      return handler.runs.length === 7;
    });
  });

  it('a hundred jobs with one slot one after the other, without polling', async () => {
    const { jobs, handler } = await startWorker({ worker: { maxConcurrency: 1, ...NEVER_POLLS } });
    const submitted = await Promise.all(
      Array.from({ length: 100 }, (_, value) => jobs.submit(Scripted, { do: 'return', value })),
    );
    const done = await Promise.all(submitted.map(({ id }) => jobs.waitFor(id)));
    expect(done.map(({ result }) => result)).toEqual(Array.from({ length: 100 }, (_, n) => n));
    expect(handler.runs).toHaveLength(100);
  });

  it('once for each single job, and does not claim while it waits for a notification', async () => {
    const { limits, store } = counting();
    const { reached, submit, worker } = await startWorker({ store, worker: NEVER_POLLS });
    await eventually(() => limits.length === 1);
    for (let job = 1; job <= 3; job++) {
      await reached(await submit({ do: 'return' }), 'Completed');
      await eventually(() => worker.running === 0);
    }
    expect(limits).toHaveLength(1 + 3);
  });

  it('a retry at its scheduledAt, without polling', async () => {
    const { submit, reached, handler } = await startWorker({
      worker: NEVER_POLLS,
      jobs: { defaultMaxRetries: 1, retryCurve: () => 20 },
    });
    await reached(await submit({ do: 'throw', message: 'no' }), 'Failed');
    expect(handler.runs).toHaveLength(2);
  });

  it('at most the concurrency of one name, and others meanwhile', async () => {
    const Narrow = defineJob<string, void>('Narrow', { concurrency: 1 });
    const release = gate();
    let running = 0;
    let most = 0;
    @AsyncHandler(Narrow)
    class NarrowHandler implements JobHandler<typeof Narrow> {
      async handle() {
        most = Math.max(most, ++running);
        await release.opened;
        running--;
      }
    }
    const { jobs, handler } = await startWorker({ worker: NEVER_POLLS }, [NarrowHandler, ScriptedHandler]);
    const narrow = [await jobs.submit(Narrow, 'a'), await jobs.submit(Narrow, 'b'), await jobs.submit(Narrow, 'c')];
    await jobs.submit(Scripted, { do: 'return' });
    await handler.nextRun();
    release.open();
    await Promise.all(narrow.map(({ id }) => jobs.waitFor(id)));
    expect(most).toBe(1);
  });

  it('only jobs that it has a handler for', async () => {
    const store = new MemoryJobStore();
    const { jobs, reached, submit } = await startWorker({ store });
    const { id } = await jobs.submit('ForANewerWorker', {});
    await reached(await submit({ do: 'return' }), 'Completed');
    expect(await jobs.find(id)).toMatchObject({ status: 'Queued', retryCount: 0 });
  });

  it('each job once when many workers share the store', async () => {
    const store = new MemoryJobStore();
    const workers = await Promise.all([1, 2, 3].map(() => startWorker({ store, worker: NEVER_POLLS })));
    const { jobs } = workers[0] as (typeof workers)[0];
    const ids = await Promise.all(
      Array.from({ length: 200 }, async () => (await jobs.submit(Scripted, { do: 'return' })).id),
    );
    await Promise.all(ids.map((id) => jobs.waitFor(id)));
    const ran = workers.flatMap(({ handler }) => handler.runs.map(({ context }) => context.id));
    expect(ran.toSorted()).toEqual(ids.toSorted());
  });

  it('again when the store is back after an outage', async () => {
    const flaky = unreliable(new MemoryJobStore());
    const { submit, reached } = await startWorker({ store: flaky.store, worker: { pollingIntervalMs: 10 } });
    flaky.fail({ verbs: ['claim', 'waitForWork', 'recover', 'renew'] });
    const id = await submit({ do: 'return', value: 'back' });
    flaky.mend();
    expect((await reached(id, 'Completed')).result).toBe('back');
  });

  it('nothing in role api, and nothing without handlers', async () => {
    const store = new MemoryJobStore();
    const api = await startWorker({ store, role: 'api' });
    expect(api.worker.isStarted).toBe(false);
    const id = await api.submit({ do: 'return' });
    await startWorker({ store, role: 'worker' });
    await api.reached(id, 'Completed');
  });
});
