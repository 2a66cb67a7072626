import assert from 'node:assert/strict';
import type { JobStore } from '../../store/job-store.js';
import { claimOne, created, find, type Subject } from './subject.js';
import type { TestFramework } from './test-framework.js';

export function describeLifetime(subject: Subject, { describe, it }: TestFramework): void {
  const never = new AbortController().signal;

  describe('open and close', () => {
    it('opens again after close, with its jobs, and works as before', async () => {
      const { store } = subject;
      for (let round = 0; round < 2; round++) {
        const { id } = await created(store);
        await store.close();
        await store.open();
        assert.equal((await find(store, id)).status, 'Queued');
        const told = await watched(store, id);
        const waiting = store.waitForWork(['Later'], never);
        await claimOne(store);
        await told();
        await created(store, { name: 'Later' });
        await waiting;
        await claimOne(store, { slots: new Map([['Later', 1]]) });
      }
    });

    it('stays open for one application when another closes it', async () => {
      const { store } = subject;
      await store.open();
      await store.close();
      const { id } = await created(store);
      const told = await watched(store, id);
      await store.ping();
      await store.cancel([id]);
      await told();
    });

    it('closes in every state: waiting for work, with subscribers, closing, closed, opening', async () => {
      const { store } = subject;
      await store.subscribe({ job: (await created(store)).id }, () => {});
      const waiting = store.waitForWork(['Other'], never);
      await Promise.all([store.close(), store.close()]);
      await waiting;
      await store.close();
      const opening = store.open();
      await Promise.all([opening.catch(() => {}), store.close()]);
      const again = store.open();
      await store.close();
      await again.catch(() => {});
      await store.open(); // the store is open, as before the test
      await store.ping();
    });

    it('opens while it is being closed', async () => {
      const { store } = subject;
      const closing = store.close();
      await store.open();
      await closing;
      await created(store);
    });
  });
}

/** Subscribes to the job, and returns a function that waits for its next change. */
async function watched(store: JobStore, id: string): Promise<() => Promise<unknown>> {
  let tell: (change: unknown) => void = () => {};
  const told = new Promise((resolve) => (tell = resolve));
  await store.subscribe({ job: id }, (change) => tell(change));
  return () => told;
}
