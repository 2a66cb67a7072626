import { MemoryJobStore } from 'nestjs-async-endpoints';
import { describeJobStore } from 'nestjs-async-endpoints/testing/contract';

/** Yours extends `JobStore`. */
class MyJobStore extends MemoryJobStore {}

describeJobStore('MyJobStore', async () => {
  let now = 1_000_000;
  const store = new MyJobStore({ now: () => now });
  await store.open();
  return { store, advance: (ms) => void (now += ms), dispose: () => store.close() };
});
