import assert from 'node:assert/strict';
import { claimOne, created, find, only, running, type Subject } from './subject.js';
import type { TestFramework } from './test-framework.js';

export function describeRecover(subject: Subject, { describe, it }: TestFramework): void {
  describe('recover', () => {
    it('does not recover a job before its lease has ended', async () => {
      const { store, advance } = subject;
      await running(store);
      await advance(999);
      assert.deepEqual(await store.recover({ limit: 10, maxCrashes: 3 }), []);
    });

    it('queues the job of a dead worker in its old place, counting a crash and no attempt', async () => {
      const { store, advance } = subject;
      const { job } = await running(store);
      await created(store);
      await advance(1_000);
      const recovered = only(await store.recover({ limit: 10, maxCrashes: 3 })).job;
      assert.equal(recovered.status, 'Queued');
      assert.equal(recovered.crashes, 1);
      assert.equal(recovered.retryCount, 0);
      assert.equal(recovered.worker, null);
      assert.equal((await claimOne(store)).job.id, job.id);
    });

    it('returns the worker that held the job and the end of its lease', async () => {
      const { store, advance } = subject;
      await created(store);
      const renewed = await claimOne(store, { worker: 'renewing' });
      await created(store);
      const silent = await claimOne(store, { worker: 'silent, "quoted"' });
      await advance(300);
      await store.renew([{ id: renewed.job.id, fence: renewed.fence, leaseMs: 1_000 }]);
      const until = (silent.job.leaseUntil as number) + 300;
      await advance(1_000);
      const recovered = await store.recover({ limit: 10, maxCrashes: 1 });
      const told = Object.fromEntries(recovered.map(({ worker, leaseUntil }) => [worker, leaseUntil]));
      assert.deepEqual(told, { renewing: until, 'silent, "quoted"': until - 300 });
    });

    it('fails a job with WORKER_CRASHED at its last allowed crash, and keeps it readable', async () => {
      const { store, advance } = subject;
      const { id } = await created(store, { maxRetries: 100 });
      for (const crash of [1, 2, 3]) {
        await claimOne(store);
        await advance(1_000);
        const job = only(await store.recover({ limit: 10, maxCrashes: 3 })).job;
        assert.equal(job.crashes, crash);
      }
      const failed = await find(store, id);
      assert.equal(failed.status, 'Failed');
      assert.equal(failed.error?.code, 'WORKER_CRASHED');
      assert.equal(typeof failed.error.message, 'string');
      assert.equal(failed.completedAt, failed.lastUpdatedAt);
    });

    it('recovers at most the limit, earliest lease first', async () => {
      const { store, advance } = subject;
      const first = await running(store);
      await advance(10);
      await running(store);
      await running(store);
      await advance(1_000);
      const [one] = await store.recover({ limit: 1, maxCrashes: 3 });
      assert.equal(one?.job.id, first.job.id);
      assert.equal((await store.recover({ limit: 10, maxCrashes: 3 })).length, 2);
      assert.deepEqual(await store.recover({ limit: 10, maxCrashes: 3 }), []);
    });

    it('recovers a job once under concurrent sweeps', async () => {
      const { store, advance } = subject;
      await running(store);
      await advance(1_000);
      const sweeps = await Promise.all([1, 2, 3, 4].map(() => store.recover({ limit: 10, maxCrashes: 3 })));
      assert.equal(sweeps.flat().length, 1);
    });

    describe('in periodic sweeps', () => {
      const options = { limit: 10, maxCrashes: 1, sweep: { silenceMs: 500, leaseMs: 1_000 } };

      it('recovers the job of a dead worker no later than a single call', async () => {
        const { store, advance } = subject;
        const { job } = await running(store);
        for (let sweep = 1; sweep <= 4; sweep++) {
          assert.deepEqual(await store.recover(options), []);
          await advance(250);
        }
        const failed = only(await store.recover(options)).job;
        assert.deepEqual([failed.id, failed.status, failed.crashes], [job.id, 'Failed', 1]);
      });

      it('recovers no job for one lease after a silence, so that workers can renew or settle', async () => {
        const { store, advance } = subject;
        const renewed = await running(store);
        const settled = await running(store);
        await store.recover(options);
        await advance(4_000);
        assert.deepEqual(await store.recover(options), []);
        await advance(400);
        assert.deepEqual(await store.recover({ limit: 10, maxCrashes: 1 }), []);
        assert.deepEqual(await store.renew([{ id: renewed.job.id, fence: renewed.fence, leaseMs: 1_000 }]), ['held']);
        const settlement = { id: settled.job.id, name: 'Work', fence: settled.fence, verb: 'complete' } as const;
        assert.deepEqual(await store.settle([{ ...settlement, result: '1' }]), [true]);
        await advance(400);
        assert.deepEqual(await store.recover(options), []);
      });

      it('queues the job of a worker that died in a silence, without counting a crash', async () => {
        const { store, advance } = subject;
        const { job } = await running(store);
        await store.recover(options);
        await advance(4_000);
        await store.recover(options);
        await advance(500);
        assert.deepEqual(await store.recover(options), []);
        await advance(500);
        const queued = only(await store.recover(options)).job;
        assert.deepEqual([queued.id, queued.status, queued.crashes], [job.id, 'Queued', 0]);
      });

      it('counts a crash when the lease began after the silence', async () => {
        const { store, advance } = subject;
        await store.recover(options);
        await advance(4_000);
        await store.recover(options);
        await running(store);
        for (let sweep = 1; sweep <= 2; sweep++) {
          await advance(500);
          if (sweep === 1) assert.deepEqual(await store.recover(options), []);
        }
        assert.equal(only(await store.recover(options)).job.crashes, 1);
      });

      it('restores the remaining time of a longer lease after a silence', async () => {
        const { store, advance } = subject;
        await created(store);
        await claimOne(store, { leaseMs: 3_000 });
        await store.recover(options);
        await advance(4_000);
        for (let passed = 0; passed < 3_000; passed += 500) {
          assert.deepEqual(await store.recover(options), []);
          await advance(500);
        }
        assert.equal(only(await store.recover(options)).job.crashes, 0);
      });

      it('treats two silences within one lease as one', async () => {
        const { store, advance } = subject;
        await running(store);
        await store.recover(options);
        for (let silence = 1; silence <= 2; silence++) {
          await advance(4_000);
          assert.deepEqual(await store.recover(options), []);
          await advance(300);
          assert.deepEqual(await store.recover(options), []);
        }
        for (let sweep = 1; sweep <= 2; sweep++) {
          assert.deepEqual(await store.recover(options), []);
          await advance(350);
        }
        assert.equal(only(await store.recover(options)).job.crashes, 0);
      });
    });
  });
}
