import { describeJobStore, type StoreUnderTest } from '../../testing/contract/index.js';
import { checkHostileStrings } from '../../testing/hostile-strings.properties.js';
import { checkAgainstModel } from '../../testing/job-store.properties.js';
import { MemoryJobStore } from './memory-job-store.js';

async function create(Store = MemoryJobStore, priorityAgingMs?: number): Promise<StoreUnderTest> {
  let now = 1_000_000;
  const store = new Store({ now: () => now, priorityAgingMs });
  await store.open();
  return { store, advance: (ms) => void (now += ms), dispose: () => store.close() };
}

describeJobStore('MemoryJobStore', create);

describe('MemoryJobStore, given any text', () => {
  it('returns every text unchanged', () => checkHostileStrings(() => create()));
});

describe('MemoryJobStore, compared with the lifecycle model', () => {
  it('replies like the model over 1,000 random histories', () => checkAgainstModel(() => create()), 60_000);

  it.each([0, 10])('replies like the model with a priorityAgingMs of %s', (agingMs) =>
    checkAgainstModel(() => create(MemoryJobStore, agingMs), 200, agingMs || 2 ** 45),
  );

  it('fails the comparison when it ignores fences', async () => {
    class Unfenced extends MemoryJobStore {
      override async settle(settlements: Parameters<MemoryJobStore['settle']>[0]) {
        const jobs = await this.find(settlements.map(({ id }) => id));
        return super.settle(settlements.map((settlement, n) => ({ ...settlement, fence: jobs[n]?.fence ?? 0 })));
      }
    }
    await expect(checkAgainstModel(() => create(Unfenced))).rejects.toThrow('Property failed');
  });

  it('fails the comparison when it recovers a valid lease', async () => {
    class Hasty extends MemoryJobStore {
      override async renew(renewals: Parameters<MemoryJobStore['renew']>[0]) {
        return super.renew(renewals.map((renewal) => ({ ...renewal, leaseMs: 0 })));
      }
    }
    await expect(checkAgainstModel(() => create(Hasty))).rejects.toThrow('Property failed');
  });
});
