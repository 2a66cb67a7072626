import { MemoryJobStore } from 'nestjs-async-endpoints';
import { eventually, unreliable } from 'nestjs-async-endpoints/testing';
import { startWorker } from './start-worker.js';

describe('Progress', () => {
  it('that is not awaited is merged: two million reports cost few calls and no memory, and other jobs keep their claims', async () => {
    let progressed = 0;
    const store = new (class extends MemoryJobStore {
      override renew(renewals: Parameters<MemoryJobStore['renew']>[0]) {
        progressed += renewals.filter(({ progress }) => progress).length;
        return super.renew(renewals);
      }
    })();
    const { submit, handler, reached, jobs } = await startWorker({ store, worker: { leaseMs: 1_000 } });
    const ids = [await submit({ do: 'stay' }), await submit({ do: 'stay' })];
    const [one, two] = [await handler.nextRun(), await handler.nextRun()];
    const promises = new Set<Promise<void>>();
    let last: Promise<void> | undefined;
    for (let turn = 0; turn < 20; turn++) {
      for (let n = 1; n <= 100_000; n++) promises.add((last = one.context.progress((turn * 100_000 + n) / 2_000_000)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await last;
    expect((await jobs.find(ids[0] as string))?.progress?.fraction).toBe(1);
    expect(promises.size).toBeLessThanOrEqual(21);
    expect(progressed).toBeLessThanOrEqual(21);
    for (const { leave } of [one, two]) leave.open(null);
    for (const id of ids) expect(await reached(id, 'Completed')).toMatchObject({ crashes: 0, fence: 1 });
  });

  it('resolves when the store has it or a newer one', async () => {
    const cut = unreliable(new MemoryJobStore());
    const { submit, handler, jobs } = await startWorker({ store: cut.store });
    const id = await submit({ do: 'stay' });
    const { context, leave } = await handler.nextRun();
    const fraction = async () => (await jobs.find(id))?.progress?.fraction;
    cut.hang(['renew']);
    const first = context.progress(0.1);
    await new Promise((resolve) => setImmediate(resolve)); // the first is on its way
    const second = context.progress(0.2);
    const third = context.progress(0.3);
    cut.mend();
    await first;
    expect(await fraction()).toBeGreaterThanOrEqual(0.1);
    await second;
    expect(await fraction()).toBe(0.3);
    await third;
    leave.open(null);
  });

  it('is sent with a heartbeat when its own call failed', async () => {
    const cut = unreliable(new MemoryJobStore());
    const { submit, handler, jobs } = await startWorker({ store: cut.store, worker: { leaseMs: 300 } });
    const id = await submit({ do: 'stay' });
    const { context, leave } = await handler.nextRun();
    cut.fail({ verbs: ['renew'] });
    await context.progress(0.5);
    cut.mend();
    await eventually(async () => (await jobs.find(id))?.progress?.fraction === 0.5);
    leave.open(null);
  });

  it('and heartbeats do not wait for each other', async () => {
    const calls: string[] = [];
    const held: (() => void)[] = [];
    const store = new (class extends MemoryJobStore {
      override async renew(renewals: Parameters<MemoryJobStore['renew']>[0]) {
        const isReport = renewals.some(({ progress }) => progress);
        calls.push(isReport ? 'report' : 'heartbeat');
        if (isReport) await new Promise<void>((resolve) => held.push(resolve));
        return super.renew(renewals);
      }
    })();
    const { submit, handler } = await startWorker({ store, worker: { leaseMs: 100 } });
    await submit({ do: 'stay' });
    const { context, leave } = await handler.nextRun();
    void context.progress(0.5);
    await eventually(() => calls.includes('report') && calls.filter((call) => call === 'heartbeat').length >= 3);
    expect(held).toHaveLength(1);
    for (const release of held) release();
    leave.open(null);
  });
});
