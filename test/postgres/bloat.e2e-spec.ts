import { type PostgresServer, startPostgresServer } from '@app/postgres-server';
import { PostgresJobStore } from 'nestjs-async-endpoints/postgres';
import { aJob, eventually } from 'nestjs-async-endpoints/testing';
import { Client } from 'pg';
import { figure } from '../redis/system.js';

const LIMITS = { queueLimit: 1_000_000 };
const BACKLOG = 3_000;
const PATIENCE_MS = 60_000;
/** Of the thresholds of autovacuum: so many jobs stand for a million. */
const SCALE = 20;
const LIVE_TABLES = ['job', 'lease', 'tally'];

let server: PostgresServer;
let admin: Client;

beforeAll(async () => {
  server = await startPostgresServer(['autovacuum_naptime=1s']);
  admin = new Client(server.url);
  await admin.connect();
});

afterAll(async () => {
  await admin.end();
  await server.stop();
});

async function opened(schema: string): Promise<PostgresJobStore> {
  const store = new PostgresJobStore({ url: server.url, schema });
  await store.open();
  onTestFinished(() => store.close());
  return store;
}

async function one<T>(sql: string, ...values: unknown[]): Promise<T> {
  return (await admin.query(sql, values)).rows[0] as T;
}

async function submit(store: PostgresJobStore, count: number): Promise<void> {
  for (let n = 0; n < count; n += 500)
    await store.submit(
      Array.from({ length: 500 }, () => aJob()),
      LIMITS,
    );
}

async function workOff(store: PostgresJobStore, atOnce: number): Promise<void> {
  for (;;) {
    const request = { worker: 'w', leaseMs: 600_000, limit: atOnce, slots: new Map([['Work', atOnce]]) };
    const claims = await store.claim(request);
    if (claims.length === 0) return;
    await store.settle(
      claims.map(({ job: { id, name }, fence }) => ({ id, name, fence, verb: 'complete', result: '1' })),
    );
  }
}

it('keeps the live tables as large as for the backlog, however many jobs pass', async () => {
  const store = await opened('passing');
  for (const table of LIVE_TABLES) {
    const options = await one<{ threshold: number }>(
      `SELECT option_value::int AS threshold FROM pg_class, pg_options_to_table(reloptions)
      WHERE oid = to_regclass($1) AND option_name = 'autovacuum_vacuum_threshold'`,
      `passing.${table}`,
    );
    await admin.query(
      `ALTER TABLE passing.${table} SET (autovacuum_vacuum_threshold = ${Math.ceil(options.threshold / SCALE)})`,
    );
  }
  const vacuums = () =>
    one<{ count: number }>(
      "SELECT autovacuum_count::int AS count FROM pg_stat_user_tables WHERE relid = 'passing.job'::regclass",
    );
  const sizes: number[] = [];
  for (let round = 0; round < 5; round++) {
    const { count } = await vacuums();
    await submit(store, BACKLOG);
    await workOff(store, 100);
    await eventually(async () => (await vacuums()).count > count, PATIENCE_MS);
    const size = LIVE_TABLES.map((table) => `pg_total_relation_size('passing.${table}')`).join(' + ');
    sizes.push(Number((await one<{ size: string }>(`SELECT ${size} AS size`)).size));
  }
  figure(
    `PostgreSQL: live tables after each ${BACKLOG} jobs: ${sizes.map((size) => `${Math.round(size / 1024)} kB`).join(', ')}`,
  );
  expect(sizes.at(-1)).toBeLessThan(1.5 * Math.max(...sizes.slice(0, 2)));
}, 240_000);

it('walks over no dead rows while another session holds a snapshot', async () => {
  const store = await opened('held');
  await submit(store, BACKLOG);
  await admin.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM held.job');
  await workOff(store, 10);
  await admin.query('COMMIT');
  await store.close(); // its connections report what they have read
  const read =
    "SELECT idx_tup_read::int AS count FROM pg_stat_user_indexes WHERE indexrelid = 'held.job_ready'::regclass";
  await eventually(async () => (await one<{ count: number }>(read)).count >= BACKLOG, PATIENCE_MS);
  const { count } = await one<{ count: number }>(read);
  figure(
    `PostgreSQL: entries of the queue's index read for a claimed job while a snapshot is held: ${(count / BACKLOG).toFixed(1)}`,
  );
  // Without the front, each claim reads half of the backlog on average: 150 entries for a job.
  expect(count / BACKLOG).toBeLessThan(75);
}, 120_000);
