import { describeJobStore } from '../../testing/index.js';
import { MemoryJobStore } from './memory-job-store.js';

describeJobStore('MemoryJobStore', async () => {
  let now = 1_000_000;
  const store = new MemoryJobStore({ now: () => now });
  await store.open();
  return { store, advance: (ms) => void (now += ms), dispose: () => store.close() };
});
