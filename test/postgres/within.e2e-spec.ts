import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { type PostgresServer, startPostgresServer } from '@app/postgres-server';
import { MikroORM } from '@mikro-orm/postgresql';
import { PrismaPg } from '@prisma/adapter-pg';
import { drizzle } from 'drizzle-orm/node-postgres';
import { drizzle as drizzleOnPostgresJs } from 'drizzle-orm/postgres-js';
import knex from 'knex';
import { MemoryJobStore, STORE_NOTICE } from 'nestjs-async-endpoints';
import { PostgresJobStore } from 'nestjs-async-endpoints/postgres';
import { eventually, Scripted } from 'nestjs-async-endpoints/testing';
import { Pool } from 'pg';
import postgres from 'postgres';
import { Sequelize } from 'sequelize';
import { DataSource } from 'typeorm';
import { startWorker } from '../worker/start-worker.js';
import { generatePrismaClient } from './prisma-client.js';
import { inTransaction } from './in-transaction.js';

/** Does the work in a transaction of its own, which commits unless the work throws. */
type Transact = (work: (within: unknown) => Promise<unknown>) => Promise<unknown>;

let server: PostgresServer;
let pool: Pool;
/** Closed at the end. */
let closing: (() => Promise<unknown>)[];

beforeAll(async () => {
  server = await startPostgresServer();
  pool = new Pool({ connectionString: server.url });
  closing = [() => pool.end()];
});

afterAll(async () => {
  for (const close of closing) await close();
  await server.stop();
});

const ORMS: Readonly<Record<string, () => Promise<Transact>>> = {
  pg: async () => (work) => inTransaction(pool, work),
  'a function': async () => (work) =>
    inTransaction(pool, (client) =>
      work(async (sql: string, parameters: unknown[]) => (await client.query(sql, parameters)).rows as object[]),
    ),
  async 'TypeORM, by its manager'() {
    const source = await new DataSource({ type: 'postgres', url: server.url }).initialize();
    closing.unshift(() => source.destroy());
    return (work) => source.transaction(work);
  },
  async 'TypeORM, by its query runner'() {
    const source = await new DataSource({ type: 'postgres', url: server.url }).initialize();
    closing.unshift(() => source.destroy());
    return async (work) => {
      const runner = source.createQueryRunner();
      await runner.startTransaction();
      try {
        await work(runner);
        await runner.commitTransaction();
      } catch (error) {
        await runner.rollbackTransaction();
        throw error;
      } finally {
        await runner.release();
      }
    };
  },
  async Knex() {
    const db = knex({ client: 'pg', connection: server.url });
    closing.unshift(() => db.destroy());
    return (work) => db.transaction(work);
  },
  async Sequelize() {
    const db = new Sequelize(server.url, { logging: false });
    closing.unshift(() => db.close());
    return (work) => db.transaction(work);
  },
  async 'Prisma, an interactive transaction'() {
    const PrismaClient = await generatePrismaClient();
    const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: server.url }) });
    closing.unshift(() => prisma.$disconnect());
    return (work) => prisma.$transaction(work);
  },
  async 'Drizzle on node-postgres'() {
    const db = drizzle(server.url);
    closing.unshift(() => db.$client.end());
    return (work) => db.transaction(work);
  },
  async 'Drizzle on postgres.js'() {
    const db = drizzleOnPostgresJs(server.url);
    closing.unshift(() => db.$client.end());
    return (work) => db.transaction(work);
  },
  async 'postgres.js'() {
    const sql = postgres(server.url);
    closing.unshift(() => sql.end());
    return (work) => sql.begin(work);
  },
  async MikroORM() {
    const orm = await MikroORM.init({ clientUrl: server.url, entities: [], discovery: { warnWhenNoEntities: false } });
    closing.unshift(() => orm.close());
    return (work) => orm.em.fork().transactional(work);
  },
};

async function start(schema = `s_${randomUUID().replaceAll('-', '')}`, role?: 'api') {
  return startWorker({ store: new PostgresJobStore({ url: server.url, schema }), ...(role && { role }) });
}

const total = async (store: { stats(): Promise<{ count: number }[]> }) =>
  (await store.stats()).reduce((sum, { count }) => sum + count, 0);

describe.each(Object.entries(ORMS))('A job that is submitted in a transaction of %s', (_, connect) => {
  it('exists and wakes a worker after the commit, and does not exist after a rollback', async () => {
    const [{ jobs, store }, transact] = await Promise.all([start(), connect()]);
    let committed = '';
    await transact(async (within) => {
      const options = { within, idempotencyKey: 'a', owner: 'ann' };
      const job = await jobs.submit(Scripted, { do: 'return', value: "it's $1 and ?" }, options);
      committed = job.id;
      expect(job).toMatchObject({ status: 'Queued', replayed: false });
      expect(await jobs.find(committed)).toBeNull();
    });
    expect(await jobs.waitFor(committed)).toMatchObject({ status: 'Completed', owner: 'ann', result: "it's $1 and ?" });
    const rolledBack = transact(async (within) => {
      await jobs.submit(Scripted, { do: 'return' }, { within, idempotencyKey: 'b' });
      throw new Error('never mind');
    });
    await expect(rolledBack).rejects.toThrow('never mind');
    expect(await total(store)).toBe(1);
    // The key is free: it went with its job.
    expect(await jobs.submit(Scripted, { do: 'return' }, { idempotencyKey: 'b' })).toMatchObject({ replayed: false });
    await transact(async (within) => {
      const options = { within, idempotencyKey: 'a', owner: 'ann' };
      const again = await jobs.submit(Scripted, { do: 'return', value: "it's $1 and ?" }, options);
      expect(again).toMatchObject({ id: committed, replayed: true, status: 'Completed' });
    });
  });

  it('gets the code of the database when a statement fails, and none of its values', async () => {
    const schema = `s_${randomUUID().replaceAll('-', '')}`;
    const [{ jobs }, transact] = await Promise.all([start(schema, 'api'), connect()]);
    await pool.query(`DROP FUNCTION "${schema}".submit`);
    const submitting = transact((within) => jobs.submit(Scripted, { do: 'return', value: 'secret' }, { within }));
    const error = await submitting.catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: '42883', message: 'The transaction did not take the submission (42883).' });
    expect(inspect(error)).not.toContain('secret');
  });

  it('may be one of many, which go to the database in few statements', async () => {
    const [{ jobs, store }, transact] = await Promise.all([start(undefined, 'api'), connect()]);
    const many = Array.from({ length: 50 }, () => ({ payload: { do: 'return' as const } }));
    await transact(async (within) => {
      const submitted = await jobs.submitMany(
        Scripted,
        many.map((one) => ({ ...one, within })),
      );
      expect(submitted.filter(({ status }) => status === 'rejected')).toEqual([]);
    });
    expect(await total(store)).toBe(50);
  });
});

describe('A submission in a transaction', () => {
  it.each(['BEGIN ISOLATION LEVEL REPEATABLE READ', 'BEGIN ISOLATION LEVEL SERIALIZABLE'])(
    'works after %s',
    async (begin) => {
      const { jobs } = await start();
      await jobs.submit(Scripted, { do: 'return' }).then(({ id }) => jobs.waitFor(id));
      const { id } = await inTransaction(
        pool,
        async (within) => {
          await within.query('SELECT 1');
          return jobs.submit(Scripted, { do: 'return' }, { within });
        },
        begin,
      );
      expect(await jobs.waitFor(id)).toMatchObject({ status: 'Completed' });
    },
  );

  it('waits for another open transaction with the same key, and returns its job', async () => {
    const { jobs } = await start();
    const options = { idempotencyKey: 'k' };
    let second: Promise<{ id: string; replayed: boolean }> | undefined;
    const first = await inTransaction(pool, async (within) => {
      const job = await jobs.submit(Scripted, { do: 'return' }, { ...options, within });
      second = inTransaction(pool, (other) => jobs.submit(Scripted, { do: 'return' }, { ...options, within: other }));
      second.catch(() => {});
      const waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
      await eventually(async () => (await pool.query(waits)).rows[0] as object | undefined);
      return job;
    });
    expect(await second).toMatchObject({ id: first.id, replayed: true });
  });

  it('rejects with a code when it waits for such a key longer than its deadline', async () => {
    const { jobs } = await start();
    await inTransaction(pool, async (within) => {
      await jobs.submit(Scripted, { do: 'return', value: 'secret' }, { idempotencyKey: 'k', within });
      const second = inTransaction(pool, (other) =>
        jobs.submit(Scripted, { do: 'return', value: 'secret' }, { idempotencyKey: 'k', within: other }),
      );
      await expect(second).rejects.toMatchObject({
        code: '55P03',
        message: 'The transaction did not take the submission (55P03).',
      });
    });
  });

  it('with a key fails only submissions with the same key, and no connection is reported lost', async () => {
    const { jobs, store } = await start();
    const notices: unknown[] = [];
    const hear = (notice: unknown) => void notices.push(notice);
    STORE_NOTICE.subscribe(hear);
    onTestFinished(() => {
      STORE_NOTICE.unsubscribe(hear);
    });
    const options = { idempotencyKey: 'held' };
    const holder = await inTransaction(pool, async (within) => {
      const job = await jobs.submit(Scripted, { do: 'return' }, { ...options, within });
      const [blocked, ...others] = await Promise.allSettled([
        jobs.submit(Scripted, { do: 'return' }, options),
        ...Array.from({ length: 5 }, () => jobs.submit(Scripted, { do: 'return' })),
      ]);
      expect(blocked).toMatchObject({ status: 'rejected', reason: { code: 'STORE_UNAVAILABLE' } });
      expect(others.map(({ status }) => status)).toEqual(others.map(() => 'fulfilled'));
      return job;
    });
    expect(await jobs.submit(Scripted, { do: 'return' }, options)).toMatchObject({ id: holder.id, replayed: true });
    expect(notices.filter((notice) => (notice as { store: unknown }).store === store)).toEqual([]);
  });

  it('with a fixed snapshot adds a row to the tally, which a sweep merges', async () => {
    const schema = `s_${randomUUID().replaceAll('-', '')}`;
    const { jobs, store } = await startWorker({
      store: new PostgresJobStore({ url: server.url, schema }),
      role: 'api',
    });
    const begin = 'BEGIN ISOLATION LEVEL REPEATABLE READ';
    for (let n = 0; n < 30; n++) await inTransaction(pool, (within) => jobs.submit('Work', {}, { within }), begin);
    const before = await store.stats();
    await store.purge(10);
    const rows = await pool.query<{ count: string }>(`SELECT count(*) FROM "${schema}".tally`);
    expect(Number(rows.rows[0]?.count)).toBe(1);
    const withoutAge = (stats: typeof before) => stats.map((entry) => ({ ...entry, oldestAgeMs: null }));
    expect(withoutAge(await store.stats())).toEqual(withoutAge(before));
  });

  it('counts the limits against committed jobs', async () => {
    const store = new PostgresJobStore({ url: server.url, schema: `s_${randomUUID().replaceAll('-', '')}` });
    const { jobs } = await startWorker({ store, role: 'api', jobs: { maxQueueSize: 1 } });
    await jobs.submit('Work', {});
    await expect(inTransaction(pool, (within) => jobs.submit('Work', {}, { within }))).rejects.toMatchObject({
      code: 'QUEUE_FULL',
    });
  });

  it('is refused without an open transaction, and for an unknown object', async () => {
    const { jobs } = await start();
    const source = await new DataSource({ type: 'postgres', url: server.url }).initialize();
    const db = knex({ client: 'pg', connection: server.url });
    closing.unshift(
      () => source.destroy(),
      () => db.destroy(),
    );
    const message = async (within: unknown) =>
      jobs.submit(Scripted, { do: 'return' }, { within }).then(
        () => 'accepted',
        (error: Error) => error.message,
      );
    const expected =
      'expected a transaction of Knex, TypeORM, MikroORM, Sequelize, Prisma, Drizzle, postgres.js, pg, better-sqlite3 or node:sqlite, or a ' +
      'function (sql, parameters) => rows.';
    expect(await message({})).toBe(`within is not recognised; ${expected}`);
    expect(await message('tx')).toBe(`within is not recognised; ${expected}`);
    expect(await message(pool)).toBe(`within is of pg, but no transaction is open; ${expected}`);
    const client = await pool.connect();
    expect(await message(client)).toBe(`within is of pg, but no transaction is open; ${expected}`);
    client.release();
    expect(await message(source)).toBe(`within is of TypeORM, but no transaction is open; ${expected}`);
    expect(await message(source.manager)).toBe(`within is of TypeORM, but no transaction is open; ${expected}`);
    expect(await message(db)).toBe(`within is of Knex, but no transaction is open; ${expected}`);
    const prisma = new (await generatePrismaClient())({ adapter: new PrismaPg({ connectionString: server.url }) });
    expect(await message(prisma)).toBe(`within is of Prisma, but no transaction is open; ${expected}`);
    const [onPg, sql] = [drizzle(server.url), postgres(server.url)];
    expect(await message(onPg)).toBe(`within is of Drizzle, but no transaction is open; ${expected}`);
    expect(await message(sql)).toBe(`within is of postgres.js, but no transaction is open; ${expected}`);
    await Promise.all([onPg.$client.end(), sql.end()]);
  });

  it('is refused by a store without transactions', async () => {
    const { jobs } = await startWorker({ store: new MemoryJobStore() });
    const submitting = inTransaction(pool, (within) => jobs.submit(Scripted, { do: 'return' }, { within }));
    await expect(submitting).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });
});
