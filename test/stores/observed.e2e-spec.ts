import { AsyncEndpointsError, defineJob, type JobStore, MemoryJobStore } from 'nestjs-async-endpoints';
import { JobStoreHealthIndicator } from 'nestjs-async-endpoints/health';
import { PostgresJobStore } from 'nestjs-async-endpoints/postgres';
import { aJob, eventually, Scripted } from 'nestjs-async-endpoints/testing';
import Database from 'better-sqlite3';
import { Client } from 'pg';
import { type PostgresServer, startPostgresServer } from '@app/postgres-server';
import { LogBook } from '../http/log-book.js';
import { ObservedApp } from '../observability/observed-app.js';
import { hasPgBouncer, startPgBouncer } from '../postgres/pgbouncer.js';
import { type Backend, BACKENDS } from './backends.js';

const Paused = defineJob<object>('Paused');
const RESOURCES = [
  'memory.used',
  'memory.limit',
  'connections.used',
  'connections.limit',
  'disk.used',
  'disk.limit',
  'size',
  'log.size',
  'rows.dead',
  'transaction.age',
  'notified',
];

/** Each store, with the resources that it reports. */
const STORES = {
  memory: { start: null, resources: [] },
  Redis: { start: BACKENDS.Redis, resources: ['memory.used', 'connections.used', 'connections.limit'] },
  PostgreSQL: {
    start: BACKENDS.PostgreSQL,
    resources: ['connections.used', 'connections.limit', 'size', 'rows.dead', 'transaction.age', 'notified'],
  },
  SQLite: { start: BACKENDS.SQLite, resources: ['disk.used', 'disk.limit', 'size', 'log.size'] },
};

async function resourcesOf(app: ObservedApp): Promise<Record<string, number>> {
  const all: Record<string, number> = {};
  for (const name of RESOURCES) {
    const value = (await app.values(`asyncendpoints.store.${name}`))[''];
    if (value !== undefined) all[name] = value;
  }
  return all;
}

async function start(store: JobStore): Promise<{ app: ObservedApp; health: JobStoreHealthIndicator }> {
  const app = await ObservedApp.start({ store, worker: { workerId: 'w' } });
  return { app, health: app.app.get(JobStoreHealthIndicator, { strict: false }) };
}

describe.each(Object.entries(STORES))(
  'Health and metrics with the %s store',
  (kind, { start: backendOf, resources }) => {
    let backend: Backend | undefined;
    const create = () => backend?.create() ?? new MemoryJobStore();

    beforeAll(async () => {
      backend = await backendOf?.();
    });

    afterEach(() => backend?.empty());

    afterAll(() => backend?.stop());

    it('have the same details and series as with every store', async () => {
      const store = create();
      const { app, health } = await start(store);
      await store.pause(['Paused'], 'ann');
      await Promise.all([app.jobs.submit(Paused, {}), app.jobs.submit(Paused, {})]);
      await store.submit([aJob({ name: 'Orphan' })], { queueLimit: 10 });
      await app.jobs.submit(Scripted, { do: 'return' });
      await eventually(async () => (await app.values('asyncendpoints.jobs.completed'))['Scripted'] === 1);

      const accessible = { status: 'up', message: 'AsyncEndpoints job store is accessible' };
      expect(await health.isHealthy('store')).toEqual({ store: accessible });
      const details = { queueDepth: 3, queueFull: false, paused: ['Paused'], unhandled: ['Orphan', 'Paused'] };
      expect(await health.isReady('store')).toEqual({ store: { ...accessible, ...details } });

      // A reply of the store serves every read of the same second.
      await eventually(async () => (await app.values('async_endpoint.queue.depth'))['Scripted Queued'] === 0);
      expect(await app.values('async_endpoint.queue.depth')).toMatchObject({ 'Orphan Queued': 1, 'Paused Queued': 2 });
      expect((await app.values('asyncendpoints.queue.bytes'))['Paused Queued']).toBeGreaterThan(0);
      expect(await app.values('asyncendpoints.queue.paused')).toMatchObject({ Orphan: 0, Paused: 1 });
      await eventually(async () => (await app.values('asyncendpoints.queue.workers'))['Scripted'] === 1);
      expect(await app.values('asyncendpoints.store.up')).toEqual({ '': 1 });
      const reported = await resourcesOf(app);
      expect(Object.keys(reported)).toEqual(resources);
      for (const name of resources.filter((one) => /limit|size|used/.test(one)))
        expect(reported[name]).toBeGreaterThan(0);
    });

    it('(in the log) name the jobs that no live worker handles', async () => {
      const [store, log] = [create(), new LogBook()];
      await ObservedApp.start({ store, recovery: { sweepIntervalMs: 50 } }, log);
      await store.submit([aJob({ name: 'Orphan' })], { queueLimit: 10 });
      await eventually(() => log.text.includes('WARN Jobs wait that no live worker handles: Orphan AsyncEndpoints'));
    });

    it.skipIf(kind === 'memory' || kind === 'SQLite')('tell an outage, and that it is over', async () => {
      const { app, health } = await start(create());
      await backend!.crash!();
      expect(await health.isReady('store')).toMatchObject({ store: { status: 'down' } });
      await eventually(async () => (await app.values('asyncendpoints.store.up'))[''] === 0, 10_000);
      expect(await app.values('async_endpoint.queue.depth')).toEqual({});
      expect(await resourcesOf(app)).toEqual({});
      await backend!.restart!();
      await eventually(async () => (await app.values('asyncendpoints.store.up'))[''] === 1, 10_000);
      expect(await health.isReady('store')).toMatchObject({ store: { status: 'up', queueDepth: 0 } });
    });
  },
);

describe('The resources of PostgreSQL', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await startPostgresServer(['max_prepared_transactions=1']);
  });

  afterAll(() => server.stop());

  async function connect(): Promise<Client> {
    const client = new Client(server.url);
    await client.connect();
    onTestFinished(() => client.end());
    return client;
  }

  async function openStore(url = server.url, listen?: string): Promise<PostgresJobStore> {
    const store = new PostgresJobStore({ url, listen, commandTimeoutMs: 1_000 });
    await store.open();
    onTestFinished(() => store.close());
    return store;
  }

  /** Whether the oldest transaction has begun after now, however slow the machine is. */
  function isYoungerThanNow(store: PostgresJobStore): () => Promise<boolean> {
    const now = performance.now();
    return async () => {
      const { oldestTransactionMs } = await store.resources();
      return oldestTransactionMs! < performance.now() - now + 100; // two clocks
    };
  }

  it('name the age of the oldest transaction, prepared or not', async () => {
    const [store, other] = [await openStore(), await connect()];
    await other.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await other.query('SELECT pg_sleep(0.3)');
    expect((await store.resources()).oldestTransactionMs).toBeGreaterThan(300);
    const prepared = isYoungerThanNow(store);
    await other.query("PREPARE TRANSACTION 'forgotten'"); // its age begins again
    expect(await prepared()).toBe(true);
    await other.query('SELECT pg_sleep(0.3)');
    expect((await store.resources()).oldestTransactionMs).toBeGreaterThan(300);
    const committed = isYoungerThanNow(store);
    await other.query("COMMIT PREPARED 'forgotten'");
    expect(await committed()).toBe(true);
  });

  it('are also read by a role without privileges, except for the transactions of other roles', async () => {
    const [admin, other] = [await connect(), await connect()];
    await admin.query('CREATE ROLE plain LOGIN; GRANT USAGE ON SCHEMA async_endpoints TO plain');
    await admin.query('GRANT SELECT ON ALL TABLES IN SCHEMA async_endpoints TO plain');
    await other.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await other.query('SELECT pg_sleep(0.3)');
    const url = new URL(server.url);
    url.username = 'plain';
    const store = new PostgresJobStore({ url: url.href, migrate: false });
    await store.open();
    onTestFinished(() => store.close());
    const isYounger = isYoungerThanNow(store);
    const { connections, sizeBytes, deadRows } = await store.resources();
    expect([connections!.used > 2, connections!.limit! > 2, sizeBytes! > 0]).toEqual([true, true, true]);
    expect(deadRows).toBeGreaterThanOrEqual(0);
    expect(await isYounger()).toBe(true);
    await admin.query('GRANT pg_read_all_stats TO plain');
    expect((await store.resources()).oldestTransactionMs).toBeGreaterThan(300);
    await other.query('COMMIT');
  });

  it.runIf(hasPgBouncer)('tell that the store polls behind a pooler, unless it has a direct address', async () => {
    const pooler = await startPgBouncer(server.port);
    for (const [listen, isNotified] of [
      [undefined, false],
      [server.url, true],
    ] as const) {
      const store = await openStore(pooler, listen);
      expect((await store.resources()).isNotified).toBeUndefined();
      await store.subscribe({ worker: 'w' }, () => {});
      expect((await store.resources()).isNotified).toBe(isNotified);
    }
  });
});

describe('The resources of SQLite', () => {
  it('show a log that a reader keeps from being emptied', async () => {
    const backend = await BACKENDS.SQLite();
    const store = backend.create();
    await store.open();
    onTestFinished(async () => {
      await store.close();
      await backend.stop();
    });
    const reader = new Database(backend.url.slice('sqlite:'.length));
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM job').get();
    const payload = JSON.stringify({ request: 'x'.repeat(100_000) });
    const write = async () => {
      for (let n = 0; n < 60; n++) await store.submit([aJob({ payload })], { queueLimit: 1_000 });
    };
    await write();
    const { logBytes, sizeBytes, disk } = await store.resources();
    expect(logBytes).toBeGreaterThan(6_000_000);
    expect(sizeBytes).toBeGreaterThan(logBytes!);
    expect(disk!.limit).toBeGreaterThan(disk!.used);
    reader.exec('COMMIT');
    reader.close();
    await write();
    await eventually(async () => (await store.resources()).logBytes! < 6_000_000);
  });

  it('are refused before the store is open', async () => {
    const backend = await BACKENDS.SQLite();
    onTestFinished(() => backend.stop());
    const store: JobStore = backend.create();
    await expect(store.resources!()).rejects.toThrow(AsyncEndpointsError);
  });
});
