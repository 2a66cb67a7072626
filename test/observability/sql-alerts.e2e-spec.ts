import { spawnSync } from 'node:child_process';
import { statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgresServer } from '@app/postgres-server';
import { PostgresJobStore } from 'nestjs-async-endpoints/postgres';
import { SqliteJobStore } from 'nestjs-async-endpoints/sqlite';
import { aJob, eventually } from 'nestjs-async-endpoints/testing';
import Database from 'better-sqlite3';
import { Client } from 'pg';
import { startPgBouncer } from '../postgres/pgbouncer.js';
import { Processes } from '../stores/system.js';
import { temporaryFolder } from '../temporary-folder.js';
import { expectData } from './dashboard.js';
import { hasten } from './hasten.js';
import { hasPrometheus, Prometheus } from './prometheus.js';
import { SQL_PANELS } from './sql-series.js';

const MINUTE_MS = 600;
const SKIPPED = 'there is no prometheus and prometheus-node-exporter here';
const CONNECTIONS = 40;

async function watch(processes: readonly { client: { url: string } }[], thresholds: Record<string, number>) {
  const targets = { 'async-endpoints-worker': processes.map(({ client }) => new URL(client.url).host) };
  const prometheus = await Prometheus.start({ targets, alerts: await hasten(MINUTE_MS, thresholds) });
  const up = async () => Number((await prometheus.query('sum(asyncendpoints_store_up)'))[0]?.value[1]);
  await eventually(async () => (await up()) === processes.length, 20_000);
  expect(await prometheus.fired()).toEqual([]);
  return prometheus;
}

async function connected(url: string): Promise<Client> {
  const client = new Client(url);
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

function submit(store: PostgresJobStore | SqliteJobStore, count: number): Promise<unknown> {
  const jobs = Array.from({ length: count }, () => aJob({ payload: JSON.stringify('x'.repeat(1_000)) }));
  return store.submit(jobs, { queueLimit: 1_000_000 });
}

// Real outages take long: a command of its own, `npm run test:alerts`. The rules are tried in every run by promtool.
describe.runIf(process.env.SOAK === '1')('The alerts on stores in a database', () => {
  it('fire on PostgreSQL, and its panels show data', async (test) => {
    if (!hasPrometheus()) test.skip(SKIPPED);
    const server = await startPostgresServer([
      `max_connections=${CONNECTIONS}`,
      'superuser_reserved_connections=0',
      'autovacuum=off',
    ]);
    onTestFinished(() => server.stop());
    const store = new PostgresJobStore({ url: server.url });
    const system = new Processes(store, { POSTGRES_URL: server.url });
    await store.open();
    onTestFinished(() => system.stop());
    const worker = await system.worker();
    const prometheus = await watch([worker], { AsyncEndpointsStoreBloat: 500 });

    const session = await connected(server.url);
    await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
    await submit(store, 500);
    for (let claimed = 1; claimed > 0;) {
      const claims = await store.claim({ worker: 'w', leaseMs: 60_000, limit: 500, slots: new Map([['Work', 500]]) });
      claimed = claims.length;
      await store.settle(
        claims.map(({ job: { id, name }, fence }) => ({ id, name, fence, verb: 'complete', result: '1' })),
      );
    }
    await prometheus.fires('StoreTransactionOld', 'StoreBloat');
    await session.query('COMMIT');

    await Promise.all(Array.from({ length: 0.8 * CONNECTIONS }, () => connected(server.url)));
    await prometheus.fires('StoreConnections');

    const pooler = await startPgBouncer(server.port);
    await worker.kill(); // the next one has its port, where Prometheus looks
    await system.worker({ POSTGRES_URL: pooler, PORT: new URL(worker.client.url).port });
    await prometheus.fires('StorePolling');
    await expectData(prometheus, ({ title }) => SQL_PANELS.includes(title) && !/disk|size/.test(title));
  }, 180_000);

  it('fire on SQLite, and its panels show data', async (test) => {
    if (!hasPrometheus()) test.skip(SKIPPED);
    const folder = temporaryFolder();
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', folder]).status !== 0)
      return test.skip('nothing may be mounted here');
    onTestFinished(() => void spawnSync('umount', [folder]));
    const path = join(folder, 'jobs.db');
    const store = new SqliteJobStore({ path });
    const system = new Processes(store, { SQLITE_PATH: path });
    await store.open();
    onTestFinished(() => system.stop());
    const prometheus = await watch([await system.worker()], { AsyncEndpointsStoreLog: 8_000_000 });

    const reader = new Database(path);
    onTestFinished(() => void reader.close());
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM job').get();
    for (let n = 0; n < 30; n++) await submit(store, 200);
    await prometheus.fires('StoreLog');
    reader.exec('COMMIT');
    const { bsize, blocks, bavail } = statfsSync(folder);
    writeFileSync(join(folder, 'filler'), Buffer.alloc((bavail - Math.ceil(blocks / 20)) * bsize));
    await prometheus.fires('StoreDisk');
    await expectData(prometheus, ({ title }) => /Store (disk|size)/.test(title));
  }, 120_000);
});
