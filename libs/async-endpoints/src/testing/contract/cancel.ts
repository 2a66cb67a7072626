import assert from 'node:assert/strict';
import { aJob } from '../a-job.js';
import { eventually } from '../gate.js';
import { claimOne, claimSome, created, find, only, running, type Subject } from './subject.js';
import type { TestFramework } from './test-framework.js';

export function describeCancel(subject: Subject, { describe, it }: TestFramework): void {
  describe('cancel', () => {
    for (const delayMs of [0, 5_000]) {
      it(`cancels a ${delayMs ? 'scheduled' : 'queued'} job, which is then not claimed`, async () => {
        const { store, advance } = subject;
        const { id } = await created(store, { delayMs });
        const canceled = only(await store.cancel([id]));
        assert.equal(canceled?.status, 'Canceled');
        assert.equal(canceled?.completedAt, canceled?.lastUpdatedAt);
        await advance(10_000);
        assert.deepEqual(await claimSome(store), []);
      });
    }

    it('cancels a scheduled job that has become claimable', async () => {
      const { store, advance } = subject;
      const { id } = await created(store, { delayMs: 10 });
      await created(store, { priority: 1 });
      await advance(10);
      await claimOne(store);
      await store.cancel([id]);
      assert.deepEqual(await claimSome(store), []);
    });

    it('revokes the claim of a running job: its worker is notified, and its result is rejected', async () => {
      const { store } = subject;
      const { job, fence } = await running(store);
      await store.cancel([job.id]);
      assert.deepEqual(await store.renew([{ id: job.id, fence, leaseMs: 1_000 }]), ['canceled']);
      assert.deepEqual(await store.settle([{ id: job.id, name: 'Work', fence, verb: 'complete', result: '1' }]), [
        false,
      ]);
      const { status, result } = await find(store, job.id);
      assert.deepEqual([status, result], ['Canceled', null]);
    });

    it('is never undone by recovery', async () => {
      const { store, advance } = subject;
      const { job } = await running(store);
      await store.cancel([job.id]);
      await advance(5_000);
      assert.deepEqual(await store.recover({ limit: 10, maxCrashes: 3 }), []);
    });

    it('returns the same when repeated, and null for an unknown job', async () => {
      const { store } = subject;
      const { id } = await created(store);
      const [first] = await store.cancel([id]);
      assert.deepEqual(await store.cancel([id, aJob().id]), [first, null]);
    });

    it('does not change terminal jobs', async () => {
      const { store } = subject;
      const { job, fence } = await running(store);
      await store.settle([{ id: job.id, name: 'Work', fence, verb: 'complete', result: '1' }]);
      const done = await find(store, job.id);
      assert.deepEqual(await store.cancel([job.id]), [done]);
      assert.deepEqual(await find(store, job.id), done);
    });
  });

  describe('rerun', () => {
    it('queues a failed job again, with all its attempts', async () => {
      const { store } = subject;
      const first = await running(store);
      const error = { code: 'E', message: 'm' };
      await store.settle([{ id: first.job.id, name: 'Work', fence: first.fence, verb: 'retry', delayMs: 0, error }]);
      const second = await claimOne(store);
      await store.settle([{ id: second.job.id, name: 'Work', fence: second.fence, verb: 'fail', error }]);
      const again = only(await store.rerun([first.job.id]));
      assert.equal(again?.status, 'Queued');
      assert.equal(again?.retryCount, 0);
      assert.equal(again?.error, null);
      assert.equal(again?.completedAt, null);
      assert.ok((await claimOne(store)).fence > second.fence);
    });

    it('queues a canceled job again; its old claim stays revoked', async () => {
      const { store } = subject;
      const { job, fence } = await running(store);
      await store.cancel([job.id]);
      assert.equal(only(await store.rerun([job.id]))?.status, 'Queued');
      assert.deepEqual(await store.settle([{ id: job.id, name: 'Work', fence, verb: 'complete', result: null }]), [
        false,
      ]);
    });

    it('keeps a job that runs again after the retention of its first end', async () => {
      const { store, advance } = subject;
      const { id } = await created(store);
      await store.cancel([id]);
      await store.rerun([id]);
      await advance(1_000_000);
      assert.deepEqual(await store.purge(10), []);
      assert.equal((await find(store, id)).status, 'Queued');
    });

    it('queues a running job again in one step: a subscriber sees Queued, never Canceled', async () => {
      const { store, advance } = subject;
      const { job, fence } = await running(store);
      await advance(500);
      const seen: (string | null)[] = [];
      const revoked: (string | null)[] = [];
      const unsubscribe = await Promise.all([
        store.subscribe({ job: job.id }, ({ status }) => seen.push(status)),
        store.subscribe({ worker: job.worker as string }, ({ status }) => revoked.push(status)),
      ]);
      const again = only(await store.rerun([job.id], { runningForMs: 500 }));
      assert.deepEqual(
        [again?.status, again?.worker, again?.leaseUntil, again?.startedAt, again?.retryCount, again?.crashes],
        ['Queued', null, null, null, 0, 0],
      );
      assert.deepEqual(await store.renew([{ id: job.id, fence, leaseMs: 1_000 }]), ['lost']);
      assert.deepEqual(await store.settle([{ id: job.id, name: 'Work', fence, verb: 'complete', result: '1' }]), [
        false,
      ]);
      assert.ok((await claimOne(store)).fence > fence);
      await eventually(() => seen.length > 0 && revoked.length > 0);
      for (const end of unsubscribe) end();
      assert.ok(!seen.includes('Canceled'), seen.join());
      assert.deepEqual(revoked, ['Queued']);
    });

    it('with runningForMs, takes neither jobs that were claimed later nor terminal jobs', async () => {
      const { store, advance } = subject;
      const failed = await running(store);
      const error = { code: 'E', message: 'm' };
      await store.settle([{ id: failed.job.id, name: 'Work', fence: failed.fence, verb: 'fail', error }]);
      const early = await running(store);
      await advance(10);
      const late = await running(store);
      await advance(490);
      const ids = [failed, early, late].map(({ job }) => job.id);
      const statuses = (await store.rerun(ids, { runningForMs: 500 })).map((job) => job?.status);
      assert.deepEqual(statuses, ['Failed', 'Queued', 'InProgress']);
    });

    it('does not change other jobs, and returns null for an unknown job', async () => {
      const { store } = subject;
      const waiting = await created(store);
      assert.deepEqual(await store.rerun([waiting.id, aJob().id]), [waiting, null]);
      const { job, fence } = await claimOne(store);
      assert.deepEqual(await store.rerun([job.id]), [job]);
      await store.settle([{ id: job.id, name: 'Work', fence, verb: 'complete', result: null }]);
      assert.equal(only(await store.rerun([job.id]))?.status, 'Completed');
    });
  });
}
