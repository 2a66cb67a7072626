import { type PostgresServer, startPostgresServer } from '@app/postgres-server';
import { Client } from 'pg';
import { describeJobStore, type StoreUnderTest } from '../../testing/contract/index.js';
import { checkHostileStrings } from '../../testing/hostile-strings.properties.js';
import { checkAgainstModel } from '../../testing/job-store.properties.js';
import { PostgresJobStore } from './postgres-job-store.js';

/** The long run has more: `PROPERTY_RUNS=1000`. */
const HISTORIES = Number(process.env['PROPERTY_RUNS'] ?? 100);

let server: PostgresServer;
let admin: Client;
/** Creating a schema takes a hundred times as long as emptying one. */
const free: string[] = [];
let schemas = 0;

beforeAll(async () => {
  server = await startPostgresServer();
  admin = new Client(server.url);
  await admin.connect();
});

afterAll(async () => {
  await admin.end();
  await server.stop();
});

async function create(Store = PostgresJobStore, priorityAgingMs?: number): Promise<StoreUnderTest> {
  let now = 1_000_000;
  const schema = free.pop() ?? `test_${schemas++}`;
  const store = new Store({ url: server.url, schema, now: () => now, priorityAgingMs });
  await store.open();
  const dispose = async () => {
    await store.close();
    await empty(schema);
    free.push(schema);
  };
  return { store, advance: (ms) => void (now += ms), dispose };
}

async function empty(schema: string): Promise<void> {
  const tables = "SELECT tablename FROM pg_tables WHERE schemaname = $1 AND tablename <> 'migration'";
  const { rows } = await admin.query<{ tablename: string }>(tables, [schema]);
  const deletions = rows.map(({ tablename }) => `DELETE FROM "${schema}".${tablename}`).join('; ');
  await admin.query(`${deletions}; INSERT INTO "${schema}".sweep DEFAULT VALUES`);
}

describeJobStore('PostgresJobStore', create);

describe('PostgresJobStore, given any text', () => {
  it('returns every text unchanged', () => checkHostileStrings(() => create()), 60_000);
});

describe('PostgresJobStore, compared with the lifecycle model', () => {
  it(
    `replies like the model over ${HISTORIES} random histories`,
    async () => {
      await checkAgainstModel(() => create(), HISTORIES);
    },
    Math.max(240_000, HISTORIES * 2_000),
  );

  it.each([0, 10])(
    'replies like the model with a priorityAgingMs of %s',
    (agingMs) => checkAgainstModel(() => create(PostgresJobStore, agingMs), 25, agingMs || 2 ** 45),
    120_000,
  );

  it('fails the comparison when it ignores fences', async () => {
    class Unfenced extends PostgresJobStore {
      override async settle(settlements: Parameters<PostgresJobStore['settle']>[0]) {
        const jobs = await this.find(settlements.map(({ id }) => id));
        return super.settle(settlements.map((settlement, n) => ({ ...settlement, fence: jobs[n]?.fence ?? 0 })));
      }
    }
    await expect(checkAgainstModel(() => create(Unfenced))).rejects.toThrow('Property failed');
  }, 120_000);
});
