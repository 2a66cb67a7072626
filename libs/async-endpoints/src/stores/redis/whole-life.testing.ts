import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { aJob } from '../../testing/index.js';
import type { RedisJobStoreOptions } from './options.js';
import { RedisJobStore } from './redis-job-store.js';

/** Runs the whole life of a job in a store with these options, on all three connections. */
export async function works(options: RedisJobStoreOptions): Promise<void> {
  const store = new RedisJobStore({ prefix: randomUUID(), ...options });
  await store.open();
  try {
    await store.ping();
    const job = aJob();
    let heard: () => void = () => {};
    const change = new Promise<void>((resolve) => (heard = resolve));
    const unsubscribe = await store.subscribe({ job: job.id }, heard);
    const woken = store.waitForWork(['Work'], new AbortController().signal);
    await store.submit([job], { queueLimit: 1 });
    await woken;
    const [claim] = await store.claim({ worker: 'w', leaseMs: 1_000, limit: 1, slots: new Map([['Work', 1]]) });
    await change;
    unsubscribe();
    const fence = claim?.fence as number;
    const settlement = { id: job.id, name: 'Work', fence, verb: 'complete', result: '1' } as const;
    assert.deepEqual(await store.settle([settlement]), [true]);
    assert.deepEqual(await store.audit(), []);
  } finally {
    await store.close();
  }
}
