import assert from 'node:assert/strict';
import type { TestFramework } from '../test-framework.js';
import { claimOne, created, find, only, running, type Subject } from './subject.js';

export function describeRecover(subject: Subject, { describe, it }: TestFramework): void {
  describe('recover', () => {
    it('leaves a claim alone as long as its lease runs (D-17)', async () => {
      const { store, advance } = subject;
      await running(store);
      await advance(999);
      assert.deepEqual(await store.recover({ limit: 10, maxCrashes: 3 }), []);
    });

    it('queues the job of a vanished worker in its old place, counting a crash and no attempt', async () => {
      const { store, advance } = subject;
      const { job } = await running(store);
      await created(store);
      await advance(1_000);
      const recovered = only(await store.recover({ limit: 10, maxCrashes: 3 }));
      assert.equal(recovered.status, 'Queued');
      assert.equal(recovered.crashes, 1);
      assert.equal(recovered.retryCount, 0);
      assert.equal(recovered.worker, null);
      assert.equal((await claimOne(store)).job.id, job.id);
    });

    it('fails a job with WORKER_CRASHED when its crashes are spent (D-43)', async () => {
      const { store, advance } = subject;
      const { id } = await created(store, { maxRetries: 100 });
      for (const crash of [1, 2, 3]) {
        await claimOne(store);
        await advance(1_000);
        const job = only(await store.recover({ limit: 10, maxCrashes: 3 }));
        assert.equal(job.crashes, crash);
      }
      const failed = await find(store, id);
      assert.equal(failed.status, 'Failed');
      assert.equal(failed.error?.code, 'WORKER_CRASHED');
      assert.equal(failed.completedAt, failed.lastUpdatedAt);
    });

    it('does no more than it was asked for, earliest lease first (D-15)', async () => {
      const { store, advance } = subject;
      const first = await running(store);
      await advance(10);
      await running(store);
      await running(store);
      await advance(1_000);
      const [one] = await store.recover({ limit: 1, maxCrashes: 3 });
      assert.equal(one?.id, first.job.id);
      assert.equal((await store.recover({ limit: 10, maxCrashes: 3 })).length, 2);
      assert.deepEqual(await store.recover({ limit: 10, maxCrashes: 3 }), []);
    });

    it('recovers a job once, however many sweep at once (D-56)', async () => {
      const { store, advance } = subject;
      await running(store);
      await advance(1_000);
      const sweeps = await Promise.all([1, 2, 3, 4].map(() => store.recover({ limit: 10, maxCrashes: 3 })));
      assert.equal(sweeps.flat().length, 1);
    });
  });
}
