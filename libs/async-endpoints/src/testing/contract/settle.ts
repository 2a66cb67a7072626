import assert from 'node:assert/strict';
import type { Outcome } from '../../job/lifecycle.js';
import { claimOne, claimSome, created, find, running, type Subject } from './subject.js';
import type { TestFramework } from './test-framework.js';

const error = { code: 'E', message: 'went wrong', details: { at: [1, 'x', null] } };

const TEN_YEARS_MS = 10 * 365 * 86_400_000;

const OUTCOMES: Outcome[] = [
  { verb: 'complete', result: '{"a":1}' },
  { verb: 'retry', delayMs: 3_000, error },
  { verb: 'fail', error },
  { verb: 'release' },
];

export function describeSettle(subject: Subject, { describe, it }: TestFramework): void {
  describe('settle', () => {
    it('completes with a result, stored as opaque text', async () => {
      const { store } = subject;
      const { job, fence } = await running(store);
      const result = '{"b":1, "a":[1e400, "\\u0000"]}';
      assert.deepEqual(await store.settle([{ id: job.id, name: 'Work', fence, verb: 'complete', result }]), [true]);
      const done = await find(store, job.id);
      assert.equal(done.status, 'Completed');
      assert.equal(done.result, result);
      assert.equal(done.completedAt, done.lastUpdatedAt);
      assert.equal(done.worker, null);
      assert.equal(done.leaseUntil, null);
    });

    it('completes without a result', async () => {
      const { store } = subject;
      const { job, fence } = await running(store);
      await store.settle([{ id: job.id, name: 'Work', fence, verb: 'complete', result: null }]);
      const { status, result } = await find(store, job.id);
      assert.deepEqual({ status, result }, { status: 'Completed', result: null });
    });

    it('retries after the delay, counting the attempt and keeping the error', async () => {
      const { store, advance } = subject;
      const { job, fence } = await running(store);
      await store.settle([{ id: job.id, name: 'Work', fence, verb: 'retry', delayMs: 3_000, error }]);
      const waiting = await find(store, job.id);
      assert.equal(waiting.status, 'Scheduled');
      assert.equal(waiting.retryCount, 1);
      assert.equal(waiting.scheduledAt, waiting.lastUpdatedAt + 3_000);
      assert.deepEqual(waiting.error, error);
      assert.deepEqual(await claimSome(store), []);
      await advance(3_000);
      assert.equal((await claimOne(store)).job.retryCount, 1);
    });

    it('clears the error of an earlier attempt on success', async () => {
      const { store } = subject;
      const first = await running(store);
      await store.settle([{ id: first.job.id, name: 'Work', fence: first.fence, verb: 'retry', delayMs: 0, error }]);
      const second = await claimOne(store);
      await store.settle([{ id: second.job.id, name: 'Work', fence: second.fence, verb: 'complete', result: null }]);
      assert.equal((await find(store, first.job.id)).error, null);
    });

    it('fails a job, which stays readable', async () => {
      const { store, advance } = subject;
      const { job, fence } = await running(store);
      await store.settle([{ id: job.id, name: 'Work', fence, verb: 'fail', error }]);
      await advance(10_000);
      assert.deepEqual(await claimSome(store), []);
      const failed = await find(store, job.id);
      assert.equal(failed.status, 'Failed');
      assert.deepEqual(failed.error, error);
      assert.equal(failed.completedAt, failed.lastUpdatedAt);
    });

    it('releases a job to its old place in the queue, without counting the attempt', async () => {
      const { store, advance } = subject;
      const first = await running(store);
      await advance(1);
      await created(store);
      await store.settle([{ id: first.job.id, name: 'Work', fence: first.fence, verb: 'release' }]);
      const { status, retryCount, crashes, startedAt } = await find(store, first.job.id);
      assert.deepEqual([status, retryCount, crashes, startedAt], ['Queued', 0, 0, null]);
      assert.equal((await claimOne(store)).job.id, first.job.id);
    });

    for (const outcome of OUTCOMES) {
      it(`returns the same for a repeated ${outcome.verb}, and changes nothing`, async () => {
        const { store, advance } = subject;
        const { job, fence } = await running(store);
        const settlement = { id: job.id, name: 'Work', fence, ...outcome };
        assert.deepEqual(await store.settle([settlement]), [true]);
        const settled = await find(store, job.id);
        await advance(10);
        assert.deepEqual(await store.settle([settlement]), [true]);
        assert.deepEqual(await find(store, job.id), settled);
      });

      it(`rejects ${outcome.verb} from a worker whose job was recovered`, async () => {
        const { store, advance } = subject;
        const { job, fence } = await running(store);
        await advance(1_000);
        await store.recover({ limit: 10, maxCrashes: 3 });
        const recovered = await find(store, job.id);
        assert.deepEqual(await store.settle([{ id: job.id, name: 'Work', fence, ...outcome }]), [false]);
        assert.deepEqual(await find(store, job.id), recovered);
      });

      it(`rejects ${outcome.verb} from a worker whose job another worker has claimed`, async () => {
        const { store, advance } = subject;
        const lost = await running(store);
        await advance(1_000);
        await store.recover({ limit: 10, maxCrashes: 3 });
        const held = await claimOne(store, { worker: 'worker-2' });
        assert.deepEqual(await store.settle([{ id: lost.job.id, name: 'Work', fence: lost.fence, ...outcome }]), [
          false,
        ]);
        assert.deepEqual(await find(store, held.job.id), held.job);
      });
    }

    for (const outcome of OUTCOMES) {
      it(`rejects ${outcome.verb} for a job of another name that reuses the id of a purged job`, async () => {
        const { store, advance } = subject;
        const lost = await running(store, { retention: { completedMs: 0, failedMs: 0, canceledMs: 0 } });
        const { id } = lost.job;
        await store.cancel([id]);
        await advance(1);
        await store.purge(10);
        await created(store, { id, name: 'Other' });
        const held = await claimOne(store, { slots: new Map([['Other', 1]]) });
        assert.deepEqual(await store.settle([{ id, name: 'Work', fence: held.fence, ...outcome }]), [false]);
        assert.deepEqual(await find(store, id), held.job);
      });
    }

    it('accepts a late result as long as no other worker has claimed the job', async () => {
      const { store, advance } = subject;
      const { job, fence } = await running(store);
      await advance(5_000);
      assert.deepEqual(await store.settle([{ id: job.id, name: 'Work', fence, verb: 'complete', result: null }]), [
        true,
      ]);
    });

    for (const [delayMs, bounded] of [
      [Number.NaN, 0],
      [-5, 0],
      [2.6, 3],
      [1e21, TEN_YEARS_MS],
      [Infinity, TEN_YEARS_MS],
    ] as const) {
      it(`limits a delay of ${delayMs} ms to its bounds, and settles the rest of the batch`, async () => {
        const { store } = subject;
        const odd = await running(store);
        const plain = await running(store);
        const answers = await store.settle([
          { id: odd.job.id, name: 'Work', fence: odd.fence, verb: 'retry', delayMs, error },
          { id: plain.job.id, name: 'Work', fence: plain.fence, verb: 'complete', result: null },
        ]);
        assert.deepEqual(answers, [true, true]);
        const retried = await find(store, odd.job.id);
        assert.equal(retried.scheduledAt - retried.lastUpdatedAt, bounded);
        assert.equal((await find(store, plain.job.id)).status, 'Completed');
      });
    }

    it('settles each element of a batch independently, in order', async () => {
      const { store } = subject;
      const one = await running(store);
      const two = await running(store);
      const answers = await store.settle([
        { id: one.job.id, name: 'Work', fence: one.fence + 1, verb: 'complete', result: null },
        { id: two.job.id, name: 'Work', fence: two.fence, verb: 'complete', result: null },
        { id: '00000000-0000-4000-8000-000000000000', name: 'Work', fence: 1, verb: 'release' },
      ]);
      assert.deepEqual(answers, [false, true, false]);
    });
  });
}
