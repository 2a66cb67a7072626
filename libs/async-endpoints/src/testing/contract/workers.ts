import assert from 'node:assert/strict';
import { aWorkerInfo } from '../a-job.js';
import { created, find, type Subject } from './subject.js';
import type { TestFramework } from './test-framework.js';

export function describeWorkers(subject: Subject, { describe, it }: TestFramework): void {
  describe('workers', () => {
    const idsOf = async () => (await subject.store.workers()).map(({ id }) => id);

    it('are returned as they registered, with the time of their last heartbeat, in order', async () => {
      const { store, advance } = subject;
      const one = aWorkerInfo({ id: 'b, "quoted"\nü', names: ['Work', 'Other'], version: '1.2.3', slots: 7 });
      await store.register(one, 1_000);
      await advance(100);
      const { createdAt } = await find(store, (await created(store)).id);
      await store.register(aWorkerInfo({ id: 'a' }), 1_000);
      const [a, b] = await store.workers();
      assert.deepEqual(b, { ...one, heartbeatAt: b?.heartbeatAt });
      assert.ok((b?.heartbeatAt ?? 0) + 100 <= createdAt && createdAt <= (a?.heartbeatAt ?? 0));
    });

    it('are removed when they unregister and when their registration expires; one that registers again stays', async () => {
      const { store, advance } = subject;
      for (const id of ['leaves', 'silent', 'stays']) await store.register(aWorkerInfo({ id }), 1_000);
      await store.unregister('leaves');
      await store.unregister('unknown');
      assert.deepEqual(await idsOf(), ['silent', 'stays']);
      await advance(600);
      await store.register(aWorkerInfo({ id: 'stays', slots: 3 }), 1_000);
      await advance(600);
      const workers = await store.workers();
      assert.deepEqual(
        workers.map(({ id, slots }) => [id, slots]),
        [['stays', 3]],
      );
      await advance(600);
      assert.deepEqual(await idsOf(), []);
    });
  });
}
