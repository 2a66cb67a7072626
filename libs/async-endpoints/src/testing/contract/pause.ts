import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { claimOne, claimSome, created, find, only, running, type Subject } from './subject.js';
import type { TestFramework } from './test-framework.js';

export function describePause(subject: Subject, { describe, it }: TestFramework): void {
  describe('a paused name', () => {
    it('is not claimed until it is resumed; other names are', async () => {
      const { store } = subject;
      await created(store);
      const other = await created(store, { name: 'Other' });
      const slots = new Map([
        ['Work', 10],
        ['Other', 10],
      ]);
      await store.pause(['Work'], 'ann');
      assert.deepEqual(
        (await claimSome(store, { slots, limit: 10 })).map(({ job }) => job.id),
        [other.id],
      );
      assert.deepEqual(await claimSome(store, { worker: 'worker-2' }), []);
      await store.resume(['Work']);
      assert.equal((await claimOne(store)).job.name, 'Work');
    });

    it('accepts submissions, which keep their order and scheduledAt', async () => {
      const { store, advance } = subject;
      await store.pause(['Work'], null);
      const first = await created(store);
      const later = await created(store, { delayMs: 1_000 });
      const urgent = await created(store, { priority: 5 });
      await advance(2_000);
      assert.deepEqual(await claimSome(store, { limit: 10 }), []);
      assert.equal((await find(store, later.id)).scheduledAt, later.scheduledAt);
      await store.resume(['Work']);
      const claims = await claimSome(store, { limit: 10 });
      assert.deepEqual(
        claims.map(({ job }) => job.id),
        [urgent.id, first.id, later.id],
      );
    });

    it('lets jobs in progress continue: they are renewed and settled, and retried after the resume', async () => {
      const { store } = subject;
      const one = await running(store);
      const two = await running(store);
      await store.pause(['Work'], null);
      assert.deepEqual(await store.renew([{ id: one.job.id, fence: one.fence, leaseMs: 1_000 }]), ['held']);
      const error = { code: 'E', message: 'm' };
      const settled = await store.settle([
        { id: one.job.id, name: 'Work', fence: one.fence, verb: 'complete', result: '1' },
        { id: two.job.id, name: 'Work', fence: two.fence, verb: 'retry', delayMs: 0, error },
      ]);
      assert.deepEqual(settled, [true, true]);
      assert.deepEqual(await claimSome(store), []);
      await store.resume(['Work']);
      assert.equal((await claimOne(store)).job.id, two.job.id);
    });

    it('has a time and an author; pausing it again, or resuming a name that is not paused, changes nothing', async () => {
      const { store, advance } = subject;
      await created(store);
      await store.pause(['Work', 'Never submitted'], 'ann');
      const paused = await store.paused();
      assert.deepEqual(
        paused.map(({ name, pausedBy }) => [name, pausedBy]),
        [
          ['Never submitted', 'ann'],
          ['Work', 'ann'],
        ],
      );
      assert.equal(paused[1]?.pausedAt, (await find(store, (await created(store)).id)).createdAt);
      await advance(1_000);
      await store.pause(['Work'], 'bob');
      await store.resume(['Other']);
      assert.deepEqual(await store.paused(), paused);
      await store.resume(['Work', 'Never submitted']);
      assert.deepEqual(await store.paused(), []);
    });

    it('is in stats, also without jobs', async () => {
      const { store } = subject;
      const names = ['Work', 'a name, "quoted"\nand broken: ü'];
      await created(store, { delayMs: 1_000 });
      await store.pause(names, null);
      const shown = (await store.stats()).map((entry) => `${entry.name} ${entry.status} ${entry.count}`);
      assert.deepEqual(shown.toSorted(), [...names.map((name) => `${name} Queued 0`), 'Work Scheduled 1'].toSorted());
      assert.ok((await store.stats()).every(({ isPaused }) => isPaused));
      await store.resume(names);
      assert.equal(only(await store.stats()).isPaused, false);
    });

    it('does not wake a waiting worker until it is resumed', async () => {
      const { store } = subject;
      await store.pause(['Work'], null);
      await created(store);
      const waiting = new AbortController();
      let wakes = 0;
      const worker = (async () => {
        for (;;) {
          await store.waitForWork(['Work'], waiting.signal);
          wakes++;
          const [claim] = await claimSome(store);
          if (claim || waiting.signal.aborted) return claim;
        }
      })();
      // Each call is a round trip to the store. A worker that is woken repeatedly would have been woken by then.
      for (let n = 0; n < 50; n++) await store.find([randomUUID()]);
      const wakesWhilePaused = wakes;
      await store.resume(['Work']);
      const claim = await worker;
      waiting.abort();
      assert.ok(wakesWhilePaused <= 2, `it was woken ${wakesWhilePaused} times while the name was paused`);
      assert.equal(claim?.job.name, 'Work');
    });
  });
}
