import assert from 'node:assert/strict';
import type { JobError } from '../../job/job.js';
import type { Outcome } from '../../job/lifecycle.js';
import type { JobStore } from '../../store/job-store.js';
import { claimOne, created, find, only, type Subject } from './subject.js';
import type { TestFramework } from './test-framework.js';

const ERROR: JobError = { code: 'E', message: 'm', details: { rows: 3 }, internal: true };

export function describeAttempts(subject: Subject, { describe, it }: TestFramework): void {
  /** Claims the only job, lets some time pass, and settles the claim. */
  async function attempt(store: JobStore, outcome: Outcome): Promise<void> {
    const { job, fence } = await claimOne(store);
    await subject.advance(10);
    assert.deepEqual(await store.settle([{ id: job.id, name: 'Work', fence, ...outcome }]), [true]);
  }

  describe('failed attempts', () => {
    it('are kept with their worker, times, outcome and error, also after a later attempt succeeds', async () => {
      const { store, advance } = subject;
      const { id } = await created(store);
      await attempt(store, { verb: 'retry', delayMs: 0, error: ERROR });
      await claimOne(store, { worker: 'worker-2' });
      await advance(1_000);
      only(await store.recover({ limit: 1, maxCrashes: 3 }));
      await attempt(store, { verb: 'complete', result: '1' });
      const { failedAttempts, completedAt } = await find(store, id);
      const [one, two] = failedAttempts;
      const { startedAt, endedAt } = one ?? { startedAt: 0, endedAt: 0 };
      const error = { code: 'E', message: 'm', internal: true };
      assert.deepEqual(one, { number: 1, worker: 'worker-1', startedAt, endedAt, outcome: 'retry', error });
      assert.ok(startedAt + 10 <= endedAt && endedAt <= (two?.startedAt ?? 0));
      assert.deepEqual([two?.number, two?.worker, two?.outcome], [2, 'worker-2', 'crash']);
      assert.equal(two?.error.code, 'WORKER_CRASHED');
      assert.ok(two.startedAt + 1_000 <= two.endedAt && two.endedAt <= (completedAt ?? 0));
      assert.equal(failedAttempts.length, 2);
    });

    it('are empty for a job that succeeds at once, is released or is canceled', async () => {
      const { store } = subject;
      const { id } = await created(store);
      await attempt(store, { verb: 'release' });
      assert.deepEqual((await find(store, id)).failedAttempts, []);
      await attempt(store, { verb: 'complete', result: null });
      assert.deepEqual((await find(store, id)).failedAttempts, []);
      const canceled = await created(store);
      await claimOne(store);
      await store.cancel([canceled.id]);
      assert.deepEqual((await find(store, canceled.id)).failedAttempts, []);
    });

    it('are kept by a rerun, which restarts the count; only the last ten are kept, with shortened errors', async () => {
      const { store, advance } = subject;
      const { id } = await created(store, { maxRetries: 100 });
      const message = '\u0000"\ttab, line\nbreak and ü '.repeat(100);
      for (let n = 0; n < 11; n++)
        await attempt(store, { verb: 'retry', delayMs: 0, error: { code: `E${n}`, message } });
      await attempt(store, { verb: 'fail', error: ERROR });
      await store.rerun([id]);
      await attempt(store, { verb: 'fail', error: ERROR });
      await advance(1);
      const { failedAttempts } = await find(store, id);
      assert.deepEqual(
        failedAttempts.map(({ number, outcome }) => [number, outcome]),
        [4, 5, 6, 7, 8, 9, 10, 11]
          .map((number) => [number, 'retry'])
          .concat([
            [12, 'fail'],
            [1, 'fail'],
          ]),
      );
      assert.deepEqual(failedAttempts[0]?.error, { code: 'E3', message: message.slice(0, 500) });
    });
  });
}
