import assert from 'node:assert/strict';
import type { JobStore } from '../../store/job-store.js';
import { created, running, statusOf, type Subject } from './subject.js';
import type { TestFramework } from './test-framework.js';

export function describeRetention(subject: Subject, { describe, it }: TestFramework): void {
  describe('retention', () => {
    const retention = { completedMs: 10_000, failedMs: 30_000, canceledMs: 20_000 };
    const error = { code: 'E', message: 'm' };

    it('keeps jobs of each terminal status for their own time, then purges them', async () => {
      const { store, advance } = subject;
      const one = await running(store, { retention });
      await store.settle([{ id: one.job.id, name: 'Work', fence: one.fence, verb: 'complete', result: '1' }]);
      const two = await running(store, { retention });
      await store.settle([{ id: two.job.id, name: 'Work', fence: two.fence, verb: 'fail', error }]);
      const three = await created(store, { retention });
      await store.cancel([three.id]);

      const left = async () => {
        for (let more = true; more;) more = (await store.purge(1)).length === 1;
        return Promise.all([one.job.id, two.job.id, three.id].map((id) => statusOf(store, id)));
      };
      await advance(9_000);
      assert.deepEqual(await left(), ['Completed', 'Failed', 'Canceled']);
      await advance(1_000);
      assert.deepEqual(await left(), [null, 'Failed', 'Canceled']);
      await advance(10_000);
      assert.deepEqual(await left(), [null, 'Failed', null]);
      await advance(10_000);
      assert.deepEqual(await left(), [null, null, null]);
      assert.deepEqual(await store.stats(), []);
    });

    it('never purges a job that is not terminal', async () => {
      const { store, advance } = subject;
      const waiting = await created(store, { name: 'Other', retention });
      const held = await running(store, { retention });
      await advance(100_000_000);
      assert.deepEqual(await store.purge(10), []);
      assert.equal(await statusOf(store, waiting.id), 'Queued');
      assert.equal(await statusOf(store, held.job.id), 'InProgress');
    });

    it('purges at most the limit, and returns the ids of the purged jobs', async () => {
      const { store, advance } = subject;
      const ids = await Promise.all([1, 2, 3].map(async () => (await created(store, { retention })).id));
      await store.cancel(ids);
      for (let n = 1; n <= 3; n++) {
        const { job, fence } = await running(store, { retention });
        await store.settle([{ id: job.id, name: 'Work', fence, verb: 'complete', result: '1' }]);
        ids.push(job.id);
      }
      await advance(20_000);
      for (let n = 1; n <= 4; n++) {
        const before = await present(store, ids);
        const purged = await store.purge(2);
        const left = await present(store, ids);
        // A store whose jobs expire by themselves has nothing left to return.
        assert.ok(purged.length <= 2);
        assert.deepEqual(purged.toSorted(), before.filter((id) => !left.includes(id)).toSorted());
      }
      assert.deepEqual(await store.find(ids), [null, null, null, null, null, null]);
    });

    it('accepts the id of a purged job for a new one', async () => {
      const { store, advance } = subject;
      const { id } = await created(store, { retention, fingerprint: 'a' });
      await store.cancel([id]);
      await advance(20_000);
      await store.purge(10);
      await created(store, { id, fingerprint: 'b' });
    });
  });
}

async function present(store: JobStore, ids: readonly string[]): Promise<string[]> {
  const jobs = await store.find(ids);
  return ids.filter((_, index) => jobs[index]);
}
