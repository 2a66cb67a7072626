import { describeJobStore } from 'nestjs-async-endpoints/testing/contract';
import { TableJobStore } from './table-store.js';

describeJobStore('TableJobStore', async () => {
  let now = 1_000_000;
  const store = new TableJobStore(() => now);
  await store.open();
  return { store, advance: (ms) => void (now += ms), dispose: () => store.close() };
});
