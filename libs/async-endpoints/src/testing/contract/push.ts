import assert from 'node:assert/strict';
import type { JobChange } from '../../store/job-store.js';
import { eventually } from '../gate.js';
import { claimOne, claimSome, created, find, running, type Subject } from './subject.js';
import type { TestFramework } from './test-framework.js';

export function describePush(subject: Subject, { describe, it }: TestFramework): void {
  describe('subscribe', () => {
    it('notifies of every kind of change of one job, with its version', async () => {
      const { store } = subject;
      const { id } = await created(store);
      await created(store);
      const changes: JobChange[] = [];
      const unsubscribe = await store.subscribe({ job: id }, (change) => changes.push(change));
      const { fence } = await claimOne(store);
      await store.renew([{ id, fence, leaseMs: 1_000, progress: { fraction: 0.1, message: null } }]);
      await store.settle([{ id, name: 'Work', fence, verb: 'complete', result: null }]);
      const completed = await find(store, id);
      await eventually(() => changes.at(-1)?.status === 'Completed');
      const { version, job = completed } = changes.at(-1) as JobChange;
      assert.equal(version, completed.version);
      assert.deepEqual(job, completed);
      assert.ok(changes.every((change) => change.id === id));
      unsubscribe();
    });

    it('sends no notification after the subscription has ended', async () => {
      const { store } = subject;
      const [one, two] = [await created(store), await created(store)];
      const heard: string[] = [];
      const stop = await store.subscribe({ job: one.id }, ({ id }) => heard.push(id));
      const unsubscribe = await store.subscribe({ job: two.id }, ({ id }) => heard.push(id));
      stop();
      stop();
      await store.cancel([one.id, two.id]);
      await eventually(() => heard.length > 0);
      assert.deepEqual(heard, [two.id]);
      unsubscribe();
    });

    it('notifies a worker of its own revoked claims only', async () => {
      const { store, advance } = subject;
      const revoked: string[] = [];
      const unsubscribe = await store.subscribe({ worker: 'worker-1' }, ({ id, status }) =>
        revoked.push(`${id} ${status}`),
      );
      const canceled = await running(store);
      const settled = await running(store);
      await created(store);
      const others = await claimOne(store, { worker: 'worker-2' });
      await store.settle([{ id: settled.job.id, name: 'Work', fence: settled.fence, verb: 'complete', result: null }]);
      await store.cancel([others.job.id, canceled.job.id]);
      const crashed = await running(store);
      await advance(1_000);
      await store.recover({ limit: 10, maxCrashes: 3 });
      await eventually(() => revoked.length === 2);
      assert.deepEqual(revoked, [`${canceled.job.id} Canceled`, `${crashed.job.id} Queued`]);
      unsubscribe();
    });
  });

  describe('waitForWork', () => {
    const never = new AbortController().signal;

    it('resolves at once when there is work', async () => {
      await created(subject.store);
      await subject.store.waitForWork(['Other', 'Work'], never);
    });

    it('resolves when a job becomes claimable: submitted, released, recovered, rerun', async () => {
      const { store, advance } = subject;
      const woken = async (cause: () => Promise<unknown>) => {
        const waiting = store.waitForWork(['Work'], never);
        await cause();
        await waiting;
        return claimOne(store);
      };
      const first = await woken(() => created(store));
      const settlement = { id: first.job.id, name: 'Work', fence: first.fence, verb: 'release' } as const;
      const second = await woken(() => store.settle([settlement]));
      assert.equal(second.job.id, first.job.id);
      await woken(async () => {
        await advance(1_000);
        await store.recover({ limit: 1, maxCrashes: 3 });
      });
      await store.cancel([first.job.id]);
      await woken(() => store.rerun([first.job.id]));
    });

    it('resolves at the scheduledAt of a job', async () => {
      const { store, advance } = subject;
      await created(store, { delayMs: 50 });
      const waiting = store.waitForWork(['Work'], never);
      await advance(50);
      await waiting;
      await claimOne(store);
    });

    it('resolves when the signal is aborted, also beforehand', async () => {
      const { store } = subject;
      const giveUp = new AbortController();
      const waiting = store.waitForWork(['Work'], giveUp.signal);
      giveUp.abort();
      await waiting;
      await store.waitForWork(['Work'], giveUp.signal);
    });

    it('wakes one worker for each new job', async () => {
      const { store } = subject;
      const workers = [1, 2, 3].map(async (n) => {
        for (;;) {
          const [claim] = await claimSome(store, { worker: `w${n}` });
          if (claim) return claim.job.id;
          await store.waitForWork(['Work'], never);
        }
      });
      for (let n = 0; n < 3; n++) await created(store);
      assert.equal(new Set(await Promise.all(workers)).size, 3);
    });
  });
}
