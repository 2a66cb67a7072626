import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeJobStore, type StoreUnderTest } from '../../testing/contract/index.js';
import { checkHostileStrings } from '../../testing/hostile-strings.properties.js';
import { checkAgainstModel } from '../../testing/job-store.properties.js';
import { SqliteJobStore } from './sqlite-job-store.js';

/** The long run has more: `PROPERTY_RUNS=1000`. */
const HISTORIES = Number(process.env['PROPERTY_RUNS'] ?? 200);

async function create(Store = SqliteJobStore, priorityAgingMs?: number): Promise<StoreUnderTest> {
  let now = 1_000_000;
  const folder = await mkdtemp(join(tmpdir(), 'sqlite-'));
  const path = join(folder, 'jobs.db');
  const store = new Store({ path, synchronous: 'NORMAL', now: () => now, priorityAgingMs });
  await store.open();
  const dispose = async () => {
    await store.close();
    await rm(folder, { recursive: true });
  };
  return { store, advance: (ms) => void (now += ms), dispose };
}

describeJobStore('SqliteJobStore', create);

describe('SqliteJobStore, given any text', () => {
  it('returns every text unchanged', () => checkHostileStrings(() => create()));
});

describe('SqliteJobStore, compared with the lifecycle model', () => {
  it(
    `replies like the model over ${HISTORIES} random histories`,
    async () => {
      await checkAgainstModel(() => create(), HISTORIES);
    },
    Math.max(240_000, HISTORIES * 2_000),
  );

  it.each([0, 10])(
    'replies like the model with a priorityAgingMs of %s',
    (agingMs) => checkAgainstModel(() => create(SqliteJobStore, agingMs), 50, agingMs || 2 ** 45),
    60_000,
  );

  it('fails the comparison when it ignores fences', async () => {
    class Unfenced extends SqliteJobStore {
      override async settle(settlements: Parameters<SqliteJobStore['settle']>[0]) {
        const jobs = await this.find(settlements.map(({ id }) => id));
        return super.settle(settlements.map((settlement, n) => ({ ...settlement, fence: jobs[n]?.fence ?? 0 })));
      }
    }
    await expect(checkAgainstModel(() => create(Unfenced))).rejects.toThrow('Property failed');
  }, 120_000);
});
