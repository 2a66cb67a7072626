import { randomUUID } from 'node:crypto';
import { type PostgresServer, startPostgresServer } from '@app/postgres-server';
import { PostgresJobStore, type PostgresJobStoreOptions } from 'nestjs-async-endpoints/postgres';
import { aJob, eventually } from 'nestjs-async-endpoints/testing';
import { Client } from 'pg';
import { noticesOf } from './notices.js';
import { hasPgBouncer, startPgBouncer } from './pgbouncer.js';

const LIMITS = { queueLimit: 1_000 };
const PATIENCE_MS = 30_000;

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgresServer();
});

afterAll(() => server.stop());

async function opened(options: PostgresJobStoreOptions): Promise<{ store: PostgresJobStore; notices: string[] }> {
  const store = new PostgresJobStore({ commandTimeoutMs: 2_000, ...options });
  const notices = noticesOf(store);
  await store.open();
  onTestFinished(() => store.close());
  return { store, notices };
}

/** Submits, waits for, claims and settles jobs, 20 at a time. */
async function live(store: PostgresJobStore): Promise<void> {
  const jobs = Array.from({ length: 20 }, () => aJob({ idempotency: { key: randomUUID(), retentionMs: 60_000 } }));
  await Promise.all(jobs.map((job) => store.submit([job], LIMITS)));
  await store.waitForWork(['Work'], AbortSignal.timeout(PATIENCE_MS));
  const claims = await store.claim({ worker: 'w', leaseMs: 60_000, limit: 20, slots: new Map([['Work', 20]]) });
  expect(claims).toHaveLength(20);
  await store.renew(claims.map(({ job: { id }, fence }) => ({ id, fence, leaseMs: 60_000 })));
  await store.settle(
    claims.map(({ job: { id, name }, fence }) => ({ id, name, fence, verb: 'complete', result: '1' })),
  );
  const found = await store.find(jobs.map(({ id }) => id));
  expect(new Set(found.map((job) => job?.status))).toEqual(new Set(['Completed']));
}

it.runIf(hasPgBouncer)(
  'works behind PgBouncer in transaction mode, polls, and says so',
  async () => {
    const { store, notices } = await opened({ url: await startPgBouncer(server.port), schema: 'polls' });
    for (let round = 0; round < 3; round++) await live(store);
    expect(notices).toEqual([expect.stringContaining('polling')]);
  },
  60_000,
);

it.runIf(hasPgBouncer)(
  'hears notifications on a direct connection',
  async () => {
    const { store, notices } = await opened({
      url: await startPgBouncer(server.port),
      listen: server.url,
      schema: 'listens',
    });
    await live(store);
    const waiting = store.waitForWork(['Work'], AbortSignal.timeout(PATIENCE_MS));
    const admin = new Client(server.url);
    await admin.connect();
    onTestFinished(() => admin.end());
    await eventually(async () => (await admin.query('SELECT FROM listens.waiter')).rowCount === 1, PATIENCE_MS);
    await store.submit([aJob()], LIMITS);
    await waiting;
    expect(notices).toEqual([]);
  },
  60_000,
);

it.runIf(hasPgBouncer)(
  'leaves nothing of itself on the connections that it shares with others',
  async () => {
    const url = await startPgBouncer(server.port);
    const others = await Promise.all(Array.from({ length: 4 }, () => settingsOf(url)));
    const { store } = await opened({ url, schema: 'leaves' });
    await live(store);
    await Promise.all(Array.from({ length: 20 }, () => store.ping()));
    expect(await Promise.all(Array.from({ length: 4 }, () => settingsOf(url)))).toEqual(others);
  },
  60_000,
);

/** What a statement of ours could have changed for others, and locks that it could have left. */
async function settingsOf(url: string): Promise<unknown> {
  const client = new Client(url);
  await client.connect();
  const { rows } =
    await client.query(`SELECT current_setting('search_path') AS path, current_setting('statement_timeout') AS timeout,
    current_setting('lock_timeout') AS lock_timeout, current_setting('synchronous_commit') AS commits,
    current_setting('enable_seqscan') AS seqscan, (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')::int AS locks,
    (SELECT count(*) FROM pg_prepared_statements)::int AS statements`);
  await client.end();
  return rows;
}
