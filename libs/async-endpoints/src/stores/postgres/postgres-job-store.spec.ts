import { type PostgresServer, startPostgresServer } from '@app/postgres-server';
import { describeJobStore, type StoreUnderTest } from '../../testing/contract/index.js';
import { checkHostileStrings } from '../../testing/hostile-strings.properties.js';
import { checkAgainstModel } from '../../testing/job-store.properties.js';
import { PostgresJobStore } from './postgres-job-store.js';

let server: PostgresServer;
let schemas = 0;

beforeAll(async () => {
  server = await startPostgresServer();
});

afterAll(() => server.stop());

async function create(Store = PostgresJobStore, priorityAgingMs?: number): Promise<StoreUnderTest> {
  let now = 1_000_000;
  const store = new Store({ url: server.url, schema: `test_${schemas++}`, now: () => now, priorityAgingMs });
  await store.open();
  return { store, advance: (ms) => void (now += ms), dispose: () => store.close() };
}

describeJobStore('PostgresJobStore', create);

describe('PostgresJobStore, given any text', () => {
  it('gives back what it was given', () => checkHostileStrings(() => create()), 60_000);
});

describe('PostgresJobStore, compared with the lifecycle model', () => {
  it('answers as the model over 100 random histories', () => checkAgainstModel(() => create(), 100), 240_000);

  it.each([0, 10])(
    'answers as the model where priorities age by %s ms',
    (agingMs) => checkAgainstModel(() => create(PostgresJobStore, agingMs), 25, agingMs || 2 ** 45),
    120_000,
  );

  it('would be caught without its fence', async () => {
    class Unfenced extends PostgresJobStore {
      override async settle(settlements: Parameters<PostgresJobStore['settle']>[0]) {
        const jobs = await this.find(settlements.map(({ id }) => id));
        return super.settle(settlements.map((settlement, n) => ({ ...settlement, fence: jobs[n]?.fence ?? 0 })));
      }
    }
    await expect(checkAgainstModel(() => create(Unfenced))).rejects.toThrow('Property failed');
  }, 120_000);
});
