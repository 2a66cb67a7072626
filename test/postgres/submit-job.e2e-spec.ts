import { randomUUID } from 'node:crypto';
import { type PostgresServer, startPostgresServer } from '@app/postgres-server';
import { Body, ConflictException, Controller, Post } from '@nestjs/common';
import { AsyncEndpoint, defineJob, type Submit, SubmitJob } from 'nestjs-async-endpoints';
import { PostgresJobStore } from 'nestjs-async-endpoints/postgres';
import { Pool, type PoolClient } from 'pg';
import { refused } from '../http/answer.js';
import { handlerOf } from '../http/reports.js';
import { ADAPTERS, type AdapterName, startApp } from '../http/start-app.js';
import { inTransaction } from './in-transaction.js';

const FulfilOrder = defineJob<{ orderId: number }, { fulfilled: number }>('FulfilOrder');
type SubmitFulfil = Submit<typeof FulfilOrder>;
const FulfilOrderHandler = handlerOf(FulfilOrder, ({ orderId }) => ({ fulfilled: orderId }));

interface OrderDto {
  item: string;
}

let server: PostgresServer;
let pool: Pool;

beforeAll(async () => {
  server = await startPostgresServer();
  pool = new Pool({ connectionString: server.url });
  await pool.query('CREATE TABLE orders (id serial PRIMARY KEY, item text)');
});

afterAll(async () => {
  await pool.end();
  await server.stop();
});

beforeEach(() => pool.query('TRUNCATE orders'));

const transaction = <T>(work: (tx: PoolClient) => Promise<T>, begin?: string) => inTransaction(pool, work, begin);

async function order(tx: PoolClient, { item }: OrderDto): Promise<{ orderId: number }> {
  const { rows } = await tx.query<{ id: number }>('INSERT INTO orders (item) VALUES ($1) RETURNING id', [item]);
  return { orderId: rows[0]?.id as number };
}

const orders = async () => (await pool.query('SELECT item FROM orders')).rows.length;

type Run = (submit: SubmitFulfil, dto: OrderDto) => ReturnType<SubmitFulfil>;

/** What most methods do: an order, and the job to fulfil it. */
const place: Run = (submit, dto) => transaction(async (tx) => submit(await order(tx, dto), { within: tx }));

function start(adapter: AdapterName, run: Run, options: { role?: 'api' } = { role: 'api' }) {
  @Controller('orders')
  class OrdersController {
    @Post()
    @AsyncEndpoint(FulfilOrder)
    create(@Body() dto: OrderDto, @SubmitJob() submit: SubmitFulfil) {
      return run(submit, dto);
    }
  }
  const store = new PostgresJobStore({ url: server.url, schema: `s_${randomUUID().replaceAll('-', '')}` });
  const providers = options.role ? [] : [FulfilOrderHandler];
  return startApp(adapter, { controllers: [OrdersController], providers, options: { store, ...options } });
}

const HONEY = { item: 'honey' };
const KEY = { 'Idempotency-Key': 'a' };

describe.each(ADAPTERS)('An endpoint that submits its job in its transaction, on %s', (adapter) => {
  it('commits both, and answers with the job, which a worker then runs', async () => {
    const app = await start(adapter, place, {});
    const { status, job } = await app.post('/orders', HONEY);
    expect([status, await orders()]).toEqual([202, 1]);
    expect(await app.jobs.waitFor(job.id)).toMatchObject({ status: 'Completed', name: 'FulfilOrder' });
    const waited = await app.post('/orders', HONEY, { Prefer: 'wait=20' });
    expect([waited.status, waited.job.status]).toEqual([200, 'Completed']);
  });

  it('answers 202 when a worker has completed the job before the method returns', async () => {
    const late: Run = async (submit, dto) => {
      const job = await place(submit, dto);
      await app.jobs.waitFor(job.id);
      return job;
    };
    const app = await start(adapter, late, {});
    const { status, job } = await app.post('/orders', HONEY);
    expect([status, job.status]).toEqual([202, 'Queued']);
  });

  it('rolls the transaction back when the same request was accepted before', async () => {
    const app = await start(adapter, place);
    const { job } = await app.post('/orders', HONEY, KEY);
    const again = await app.post('/orders', HONEY, KEY);
    expect([again.status, again.job.id, again.headers.get('idempotency-replayed')]).toEqual([202, job.id, 'true']);
    expect((await app.post('/orders', { item: 'wax' }, KEY)).refusal).toEqual(refused(422, 'IDEMPOTENCY_KEY_REUSED'));
    expect(await orders()).toBe(1);
  });

  it('leaves nothing when the method throws after submit; Nest answers', async () => {
    const app = await start(adapter, (submit, dto) =>
      transaction(async (tx) => {
        await submit(await order(tx, dto), { within: tx });
        throw new ConflictException('sold out');
      }),
    );
    expect((await app.post('/orders', HONEY, KEY)).status).toBe(409);
    expect([await orders(), await app.all()]).toEqual([0, []]);
  });

  it('is a fault when the transaction is rolled back without an error: there is no job to answer with', async () => {
    const app = await start(adapter, async (submit, dto) => {
      const accepted = await transaction(async (tx) => {
        const job = await submit(await order(tx, dto), { within: tx });
        await tx.query('ROLLBACK');
        return job;
      });
      return accepted;
    });
    expect((await app.post('/orders', HONEY)).refusal).toEqual(refused(500, 'INTERNAL_ERROR'));
    expect(app.log.text).toContain('submitted a job in a transaction that has not committed when the method returned');
    expect(await app.all()).toEqual([]);
  });

  it('makes one job when the transaction is repeated after it has lost a race', async () => {
    const tried: number[] = [];
    const app = await start(adapter, async (submit, dto) => {
      for (;;) {
        try {
          return await transaction(async (tx) => {
            const { orderId } = await order(tx, dto);
            tried.push(orderId);
            const job = await submit({ orderId }, { within: tx });
            if (tried.length === 1) await tx.query("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$");
            return job;
          }, 'BEGIN ISOLATION LEVEL SERIALIZABLE');
        } catch (error) {
          if ((error as { code?: string }).code !== '40001') throw error;
        }
      }
    });
    const { status, job } = await app.post('/orders', HONEY, KEY);
    expect([status, tried.length, await orders()]).toEqual([202, 2, 1]);
    expect((await app.all()).map(({ id }) => id)).toEqual([job.id]);
  });

  it('is a fault with two jobs in one transaction, and leaves nothing', async () => {
    const app = await start(adapter, (submit, dto) =>
      transaction(async (tx) => {
        await submit(await order(tx, dto), { within: tx });
        return submit(await order(tx, dto), { within: tx });
      }),
    );
    expect((await app.post('/orders', HONEY)).refusal).toEqual(refused(500, 'INTERNAL_ERROR'));
    expect(app.log.text).toContain('OrdersController.create called submit again after its job was submitted');
    expect([await orders(), await app.all()]).toEqual([0, []]);
  });

  it('answers 503 when the transaction lost a race and is not repeated, and a fault of the statement is a 500', async () => {
    const app = await start(adapter, (submit, { item }) =>
      transaction(async (tx) => {
        const run = async (sql: string, parameters: readonly unknown[]) => {
          await tx.query(`DO $$ BEGIN RAISE SQLSTATE '${item}'; END $$`);
          return (await tx.query(sql, [...parameters])).rows as object[];
        };
        return submit({ orderId: 1 }, { within: run });
      }),
    );
    for (const code of ['40001', '40P01', '55P03', '57P01']) {
      expect((await app.post('/orders', { item: code })).refusal).toEqual(refused(503, 'STORE_UNAVAILABLE'));
    }
    expect((await app.post('/orders', { item: '42501' })).refusal).toEqual(refused(500, 'INTERNAL_ERROR'));
    expect(app.log.text).toContain('The transaction did not take the submission (42501).');
    expect(await app.all()).toEqual([]);
  });

  it('accepts one of two requests with one key at once, and answers both with its job', async () => {
    const app = await start(adapter, place);
    const answers = await Promise.all([1, 2, 3].map(() => app.post('/orders', HONEY, KEY)));
    expect(new Set(answers.map(({ job }) => job.id)).size).toBe(1);
    expect([await orders(), (await app.all()).length]).toEqual([1, 1]);
  });
});
