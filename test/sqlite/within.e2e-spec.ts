import { join } from 'node:path';
import { Body, Controller, Post } from '@nestjs/common';
import Database from 'better-sqlite3';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import knex from 'knex';
import { AsyncEndpoint, type Submit, SubmitJob } from 'nestjs-async-endpoints';
import { SqliteJobStore } from 'nestjs-async-endpoints/sqlite';
import { eventually, Scripted } from 'nestjs-async-endpoints/testing';
import { DataSource } from 'typeorm';
import { Report, ReportHandler, type ReportRequest } from '../http/reports.js';
import { ADAPTERS, startApp } from '../http/start-app.js';
import { temporaryFolder } from '../temporary-folder.js';
import { startWorker } from '../worker/start-worker.js';

/** Does the work in a transaction of its own, which commits unless the work throws. */
type Transact = (work: (within: unknown) => Promise<unknown>) => Promise<unknown>;
type Connect = (path: string) => Promise<Transact>;

const RETURN = { do: 'return' } as const;

function open(path: string, options: Database.Options = {}): Database.Database {
  const database = new Database(path, options);
  onTestFinished(() => void database.close());
  return database;
}

async function inTransaction<T>(database: Database.Database, work: () => Promise<T>, begin = 'BEGIN'): Promise<T> {
  database.exec(begin);
  try {
    const result = await work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

const ORMS: Readonly<Record<string, Connect>> = {
  async 'better-sqlite3'(path) {
    const database = open(path);
    return (work) => inTransaction(database, () => work(database));
  },
  async 'better-sqlite3 with BigInts'(path) {
    const database = open(path).defaultSafeIntegers(true);
    return (work) => inTransaction(database, () => work(database), 'BEGIN IMMEDIATE');
  },
  async 'Drizzle, by its connection'(path) {
    const { $client } = drizzle(path);
    onTestFinished(() => void $client.close());
    return (work) => inTransaction($client, () => work($client), 'BEGIN IMMEDIATE');
  },
  async Knex(path) {
    const db = knex({ client: 'better-sqlite3', connection: { filename: path }, useNullAsDefault: true });
    onTestFinished(() => db.destroy());
    return (work) => db.transaction(work);
  },
  async 'TypeORM, by its manager'(path) {
    const source = await new DataSource({ type: 'better-sqlite3', database: path }).initialize();
    onTestFinished(() => source.destroy());
    return (work) => source.transaction(work);
  },
  async 'TypeORM, by its query runner'(path) {
    const source = await new DataSource({ type: 'better-sqlite3', database: path }).initialize();
    onTestFinished(() => source.destroy());
    return (work) => source.transaction((tx) => work(tx.queryRunner));
  },
};

async function start({
  role,
  maxQueueSize,
  busyTimeoutMs,
}: { role?: 'api'; maxQueueSize?: number; busyTimeoutMs?: number } = {}) {
  const path = join(temporaryFolder(), 'jobs.db');
  const store = new SqliteJobStore({ path, synchronous: 'NORMAL', ...(busyTimeoutMs && { busyTimeoutMs }) });
  const jobs = maxQueueSize === undefined ? {} : { jobs: { maxQueueSize } };
  return { path, ...(await startWorker({ store, ...(role && { role }), ...jobs })) };
}

const total = async (store: { stats(): Promise<{ count: number }[]> }) =>
  (await store.stats()).reduce((sum, { count }) => sum + count, 0);

describe.each(Object.entries(ORMS))('A job that is submitted in a transaction of %s on SQLite', (_, connect) => {
  it('exists when it commits, and wakes a worker; nothing is left when it is rolled back', async () => {
    const { jobs, store, path } = await start();
    const transact = await connect(path);
    let committed = '';
    await transact(async (within) => {
      const options = { within, idempotencyKey: 'a', owner: 'ann' };
      const job = await jobs.submit(Scripted, { do: 'return', value: 'é "1"' }, options);
      committed = job.id;
      expect(job).toMatchObject({ status: 'Queued', replayed: false });
      expect(await jobs.find(committed)).toBeNull();
    });
    expect(await jobs.waitFor(committed)).toMatchObject({ status: 'Completed', owner: 'ann', result: 'é "1"' });
    const rolledBack = transact(async (within) => {
      await jobs.submit(Scripted, RETURN, { within, idempotencyKey: 'b' });
      throw new Error('never mind');
    });
    await expect(rolledBack).rejects.toThrow('never mind');
    expect(await total(store)).toBe(1);
    // The key is free: it went with its job.
    expect(await jobs.submit(Scripted, RETURN, { idempotencyKey: 'b' })).toMatchObject({ replayed: false });
    await transact(async (within) => {
      const options = { within, idempotencyKey: 'a', owner: 'ann' };
      const again = await jobs.submit(Scripted, { do: 'return', value: 'é "1"' }, options);
      expect(again).toMatchObject({ id: committed, replayed: true, status: 'Completed' });
    });
  });

  it('may be one of many', async () => {
    const { jobs, store, path } = await start({ role: 'api' });
    const transact = await connect(path);
    await transact((within) =>
      jobs.submitMany(
        Scripted,
        Array.from({ length: 50 }, () => ({ payload: RETURN, within })),
      ),
    );
    expect(await total(store)).toBe(50);
  });
});

describe('A submission in a transaction of SQLite', () => {
  it('goes with the savepoint that is rolled back', async () => {
    const { jobs, path } = await start({ role: 'api' });
    const database = open(path);
    database.exec('BEGIN; SAVEPOINT a');
    const undone = await jobs.submit(Scripted, RETURN, { within: database, idempotencyKey: 'k' });
    database.exec('ROLLBACK TO a');
    const kept = await jobs.submit(Scripted, RETURN, { within: database, idempotencyKey: 'k' });
    database.exec('COMMIT');
    expect([await jobs.find(undone.id), kept.replayed, await jobs.depth()]).toEqual([null, false, 1]);
  });

  it('is inserted before submit first awaits: a transaction without an await has it', async () => {
    const { jobs, path } = await start({ role: 'api' });
    const database = open(path);
    let submitting: Promise<{ id: string }> | undefined;
    database.transaction(() => void (submitting = jobs.submit(Scripted, RETURN, { within: database })))();
    expect(database.inTransaction).toBe(false);
    expect(await jobs.find((await submitting)?.id as string)).toMatchObject({ status: 'Queued' });
  });

  it('respects the queue limit exactly', async () => {
    const { jobs, path } = await start({ role: 'api', maxQueueSize: 1 });
    const database = open(path);
    const submitting = inTransaction(database, async () => {
      await jobs.submit(Scripted, RETURN, { within: database });
      await jobs.submit(Scripted, RETURN, { within: database });
    });
    await expect(submitting).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    expect(await jobs.depth()).toBe(0);
  });

  it('waits for the lock of another connection without holding the event loop, also where the driver would', async () => {
    const { jobs, path } = await start({ role: 'api' });
    const [holder, other] = [open(path), open(path, { timeout: 60_000 })];
    holder.exec('BEGIN IMMEDIATE');
    other.exec('BEGIN');
    let isDone = false;
    const submitting = jobs.submit(Scripted, RETURN, { within: other }).finally(() => (isDone = true));
    await new Promise((resolve) => setTimeout(resolve, 50)); // the event loop goes on
    expect(isDone).toBe(false);
    holder.exec('COMMIT');
    const { id } = await submitting;
    other.exec('COMMIT');
    expect(await jobs.find(id)).toMatchObject({ status: 'Queued' });
    expect(other.pragma('busy_timeout', { simple: true })).toBe(60_000);
  });

  it('does not wait for ever: after busyTimeoutMs it fails, and so does the store itself', async () => {
    const { jobs, path } = await start({ role: 'api', busyTimeoutMs: 50 });
    const [holder, other] = [open(path), open(path)];
    holder.exec('BEGIN IMMEDIATE');
    other.exec('BEGIN');
    const busy = { code: 'STORE_UNAVAILABLE', message: `Other connections write to ${path} all the time.` };
    await expect(jobs.submit(Scripted, RETURN, { within: other })).rejects.toMatchObject(busy);
    await expect(jobs.submit(Scripted, RETURN)).rejects.toMatchObject(busy);
    holder.exec('ROLLBACK');
    other.exec('ROLLBACK');
    expect(await jobs.depth()).toBe(0);
  });

  it('lets the store wait in steps while the transaction holds the lock', async () => {
    const { jobs, path } = await start({ role: 'api' });
    const database = open(path);
    database.exec('BEGIN IMMEDIATE');
    const outside = jobs.submit(Scripted, RETURN);
    const { id } = await jobs.submit(Scripted, RETURN, { within: database });
    expect(await jobs.find(id)).toBeNull();
    database.exec('COMMIT');
    await outside;
    expect(await jobs.depth()).toBe(2);
  });

  it('fails at once when the transaction has read what was changed since', async () => {
    const { jobs, path } = await start({ role: 'api' });
    const database = open(path);
    database.exec('BEGIN');
    database.prepare('SELECT count(*) FROM job').get();
    await jobs.submit(Scripted, RETURN);
    await expect(jobs.submit(Scripted, RETURN, { within: database })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: 'The transaction has read what was changed since: begin it with BEGIN IMMEDIATE, or repeat it.',
    });
    database.exec('ROLLBACK');
    expect(await jobs.depth()).toBe(1);
  });

  it('leaves nothing in part when a statement of it fails', async () => {
    const { jobs, path } = await start({ role: 'api' });
    const database = open(path);
    database.exec(
      "CREATE TRIGGER broken BEFORE INSERT ON idempotency BEGIN SELECT RAISE(ABORT, 'no'); END; CREATE TABLE orders (id)",
    );
    await inTransaction(database, async () => {
      database.exec('INSERT INTO orders VALUES (1)');
      const submitting = jobs.submit(Scripted, RETURN, { within: database, idempotencyKey: 'k' });
      await expect(submitting).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    });
    expect([await jobs.depth(), database.prepare('SELECT count(*) AS n FROM orders').get()]).toEqual([0, { n: 1 }]);
  });

  it('is refused in another file, in memory, without a transaction, and by a function', async () => {
    const { jobs, path } = await start({ role: 'api' });
    const message = (within: unknown) =>
      jobs.submit(Scripted, RETURN, { within }).then(
        () => 'accepted',
        (error: Error & { code: string }) => `${error.code}: ${error.message}`,
      );
    const folder = temporaryFolder();
    const [other, memory, same] = [open(join(folder, 'other.db')), open(':memory:'), open(path)];
    for (const database of [other, memory]) database.exec('BEGIN');
    expect(await message(other)).toBe(
      `INVALID_OPTION: within is a transaction in ${join(folder, 'other.db')}, but the jobs are in ${path}.`,
    );
    expect(await message(memory)).toContain('within is a transaction in a database in memory');
    expect(await message(same)).toBe('INVALID_OPTION: within has no open transaction: it has ended, or never began.');
    expect(await message(async () => [])).toBe(
      'INVALID_OPTION: within has no connection of better-sqlite3 or node:sqlite, as the jobs do.',
    );
    await eventually(() => jobs.depth().then((depth) => depth === 0));
  });
});

describe.each(ADAPTERS)('An endpoint that submits its job in a transaction of SQLite, on %s', (adapter) => {
  it('commits both or neither, and rolls back when the same request was accepted before', async () => {
    const path = join(temporaryFolder(), 'app.db');
    const database = open(path);
    database.exec('CREATE TABLE orders (title TEXT NOT NULL)');
    const insert = database.prepare('INSERT INTO orders VALUES (?)');
    @Controller('reports')
    class OrdersController {
      @Post()
      @AsyncEndpoint(Report)
      create(@Body() request: ReportRequest, @SubmitJob() submit: Submit<typeof Report>) {
        return inTransaction(
          database,
          async () => {
            insert.run(request.title);
            return submit(request, { within: database });
          },
          'BEGIN IMMEDIATE',
        );
      }
    }
    const store = new SqliteJobStore({ path });
    const app = await startApp(adapter, {
      controllers: [OrdersController],
      providers: [ReportHandler],
      options: { store },
    });
    const headers = { 'Idempotency-Key': 'a', Prefer: 'wait=20' };
    const { status, job } = await app.post('/reports', { title: 'Bees' }, headers);
    expect([status, job.result]).toEqual([200, { text: 'About Bees' }]);
    expect((await app.post('/reports', { title: 'Bees' }, headers)).job.id).toBe(job.id);
    expect((await app.post('/reports', { title: null })).status).toBe(500);
    expect([database.prepare('SELECT title FROM orders').all(), (await app.all()).length]).toEqual([
      [{ title: 'Bees' }],
      1,
    ]);
  });
});
