import { setImmediate as nextTurnOfTheEventLoop } from 'node:timers/promises';
import { subscribe } from '../events/channels.js';
import { MemoryJobStore } from '../stores/memory/memory-job-store.js';
import { aJob, aWorkerInfo, gate } from '../testing/index.js';
import { recoveryLoop } from './recovery.js';
import { UnhandledQueues } from './unhandled.js';

const HOUR_MS = 3_600_000;
const info = { host: 'h', pid: 1, version: '', slots: 1, startedAt: 0 };

describe('UnhandledQueues', () => {
  let store: MemoryJobStore;
  let published: (readonly string[])[];
  let unsubscribe: () => void;

  const register = (id: string, ...names: string[]) => store.register({ ...info, id, names }, 60_000);
  const submit = (name: string) => store.submit([aJob({ name })], { queueLimit: 10 });

  beforeEach(async () => {
    store = new MemoryJobStore();
    published = [];
    unsubscribe = subscribe(store, { unhandled: ({ names }) => void published.push(names) });
    await register('a', 'Mail');
    await register('b', 'Report');
  });

  afterEach(() => unsubscribe());

  it('are published by the first worker only, when two checks in a row have found them', async () => {
    const [first, second] = [new UnhandledQueues(store, 'a'), new UnhandledQueues(store, 'b')];
    await Promise.all(['Mail', 'Report', 'Orphan', 'Lost'].map(submit));
    for (let check = 0; check < 3; check++) {
      await first.check(0);
      await second.check(0);
      expect(published).toEqual(check === 0 ? [] : [['Lost', 'Orphan']]);
    }
    await store.unregister('a');
    await second.check(0);
    expect(published).toEqual([
      ['Lost', 'Orphan'],
      ['Lost', 'Orphan'],
    ]);
    await second.check(0);
    expect(published[2]).toEqual(['Mail']);
  });

  it('are published again after an hour, and when they come back after a worker has handled them', async () => {
    const unhandled = new UnhandledQueues(store, 'a');
    await submit('Orphan');
    for (const now of [0, 1, HOUR_MS, HOUR_MS + 1, HOUR_MS + 2]) await unhandled.check(now);
    expect(published).toEqual([['Orphan'], ['Orphan']]);
    await register('c', 'Orphan');
    await unhandled.check(HOUR_MS + 3);
    await store.unregister('c');
    for (const now of [HOUR_MS + 4, HOUR_MS + 5]) await unhandled.check(now);
    expect(published).toHaveLength(3);
  });

  it('are not published while a new worker boots', async () => {
    const unhandled = new UnhandledQueues(store, 'a');
    await submit('New');
    await unhandled.check(0);
    await register('c', 'New');
    await unhandled.check(1);
    expect(published).toEqual([]);
  });

  it('are no error of a worker that stops while it looks for them', async () => {
    const [asked, closed] = [gate(), gate()];
    store.stats = async () => {
      asked.open();
      await closed.opened;
      throw new Error('the store is closed');
    };
    const errors: unknown[] = [];
    const own = { renew: async () => {}, describe: () => aWorkerInfo() };
    const options = { enabled: true, batchSize: 10, sweepIntervalMs: 60_000, maxCrashes: 3, leaseMs: 60_000 };
    const loop = recoveryLoop(store, options, own, (error) => errors.push(error));
    loop.start();
    await asked.opened;
    await loop.stop();
    closed.open();
    await nextTurnOfTheEventLoop();
    expect(errors).toEqual([]);
  });
});
