import { type PostgresServer, startPostgresServer } from '@app/postgres-server';
import { type JobStore } from 'nestjs-async-endpoints';
import { PostgresJobStore } from 'nestjs-async-endpoints/postgres';
import { SqliteJobStore } from 'nestjs-async-endpoints/sqlite';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { handlerOf } from '../http/reports.js';
import { startApp } from '../http/start-app.js';
import { temporaryFolder } from '../temporary-folder.js';
import { FulfilOrder, Order, Orders, OrdersController } from './orders.js';

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgresServer();
});

afterAll(() => server.stop());

async function start(database: DataSourceOptions, store: JobStore) {
  const source = await new DataSource({ ...database, entities: [Order], synchronize: true }).initialize();
  onTestFinished(() => source.destroy());
  const fulfilled: number[] = [];
  const handler = handlerOf(FulfilOrder, ({ orderId }) => void fulfilled.push(orderId));
  const app = await startApp('Fastify', {
    controllers: [OrdersController],
    providers: [Orders, handler, { provide: DataSource, useValue: source }],
    options: { store },
  });
  return { app, source, fulfilled };
}

it('docs/transactions.md shows orders.ts, which is run, word for word', async () => {
  const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8');
  expect(await read('../../docs/transactions.md')).toContain('```ts\n' + (await read('orders.ts')) + '```\n');
});

it.each(['PostgreSQL', 'SQLite'])(
  'The orders of docs/transactions.md are placed with their jobs, or neither, on %s',
  async (where) => {
    const path = join(temporaryFolder(), 'app.db');
    const { app, source, fulfilled } = await (where === 'SQLite'
      ? start({ type: 'better-sqlite3', database: path }, new SqliteJobStore({ path }))
      : start({ type: 'postgres', url: server.url }, new PostgresJobStore({ url: server.url })));
    const order = await app.nest.get(Orders).place('honey');
    const { job } = await app.post('/orders', { item: 'wax' }, { Prefer: 'wait=20' });
    expect(job.status).toBe('Completed');
    expect(new Set(fulfilled)).toEqual(new Set([order.id, order.id + 1]));
    await expect(app.nest.get(Orders).place(null as unknown as string)).rejects.toThrow();
    expect((await app.post('/orders', { item: null })).status).toBe(500);
    expect([await source.getRepository(Order).count(), (await app.all()).length]).toEqual([2, 2]);
  },
);
