import { randomUUID } from 'node:crypto';
import { type PostgresServer, startPostgresServer } from '@app/postgres-server';
import { PostgresJobStore } from 'nestjs-async-endpoints/postgres';
import { Scripted } from 'nestjs-async-endpoints/testing';
import { Client, Pool } from 'pg';
import { startWorker } from '../worker/start-worker.js';
import { hasPgBouncer, startPgBouncer } from './pgbouncer.js';

const RETURN = { do: 'return' } as const;
const NOT_OPEN = { code: 'INVALID_OPTION', message: 'within has no open transaction: it has ended, or never began.' };

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgresServer();
});

afterAll(() => server.stop());

const newSchema = () => `s_${randomUUID().replaceAll('-', '')}`;

const start = (pool?: Pool) =>
  startWorker({
    role: 'api',
    store: new PostgresJobStore({ ...(pool ? { pool } : { url: server.url }), schema: newSchema() }),
  });

async function connect(url = server.url): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

describe('A submission in a transaction of PostgreSQL', () => {
  it('goes with the savepoint that is rolled back, and stays with the one that is released', async () => {
    const { jobs } = await start();
    const client = await connect();
    await client.query('BEGIN');
    await client.query('SAVEPOINT a');
    const options = { within: client, idempotencyKey: 'k' };
    const undone = await jobs.submit(Scripted, RETURN, options);
    await client.query('ROLLBACK TO a; SAVEPOINT b');
    const kept = await jobs.submit(Scripted, RETURN, options);
    await client.query('RELEASE b; COMMIT');
    expect([await jobs.find(undone.id), kept.replayed]).toEqual([null, false]);
    expect(await jobs.find(kept.id)).toMatchObject({ status: 'Queued' });
    expect(await jobs.depth()).toBe(1);
  });

  it.each(['COMMIT', 'ROLLBACK'])('that is in flight when %s is sent goes first', async (end) => {
    const { jobs } = await start();
    const client = await connect();
    await client.query('BEGIN');
    await client.query('CREATE TEMPORARY TABLE orders (id integer) ON COMMIT DROP');
    const submitting = jobs.submit(Scripted, RETURN, { within: client });
    await client.query(end);
    const { id } = await submitting;
    expect((await jobs.find(id)) !== null).toBe(end === 'COMMIT');
  });

  it.each(['COMMIT', 'ROLLBACK'])('that comes after %s was sent is refused, and leaves nothing', async (end) => {
    const { jobs } = await start();
    const client = await connect();
    await client.query('BEGIN');
    const ending = client.query(end);
    await expect(jobs.submit(Scripted, RETURN, { within: client })).rejects.toMatchObject(NOT_OPEN);
    await ending;
    expect(await jobs.depth()).toBe(0);
  });

  it('is refused where a function runs its statement outside of a transaction, as one of a pool does', async () => {
    const { jobs } = await start();
    const pool = new Pool({ connectionString: server.url });
    onTestFinished(() => pool.end());
    const within = async (sql: string, parameters: unknown[]) => (await pool.query(sql, parameters)).rows as object[];
    await expect(jobs.submit(Scripted, RETURN, { within })).rejects.toMatchObject(NOT_OPEN);
    const released = await pool.connect();
    await released.query('BEGIN');
    await released.query('COMMIT');
    released.release();
    await expect(jobs.submit(Scripted, RETURN, { within: released })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    expect(await jobs.depth()).toBe(0);
  });

  it('is refused where a function does not return rows', async () => {
    const { jobs } = await start();
    const client = await connect();
    await client.query('BEGIN');
    const within = (sql: string, parameters: unknown[]) => client.query(sql, parameters);
    const message = 'The function of within did not return its rows as objects.';
    await expect(jobs.submit(Scripted, RETURN, { within })).rejects.toMatchObject({ code: 'INVALID_OPTION', message });
  });

  it('fails with 25P02 after an error in the transaction; those at once fail alike, and none is sent again', async () => {
    const { jobs } = await start();
    const client = await connect();
    await client.query('BEGIN');
    await client.query('SELECT 1/0').catch(() => {});
    const sent: string[] = [];
    const within = async (sql: string, parameters: unknown[]) => {
      sent.push(sql);
      return (await client.query(sql, parameters)).rows as object[];
    };
    const payloads = [1, 2, 3, 4].map(() => ({ payload: RETURN, within }));
    const settled = await jobs.submitMany(Scripted, payloads);
    expect(settled.map((one) => (one as { reason?: { code: string } }).reason?.code)).toEqual(Array(4).fill('25P02'));
    expect(sent).toHaveLength(2);
    await client.query('ROLLBACK');
  });

  it('fails when the server has ended a transaction that was idle for too long', async () => {
    const { jobs } = await start();
    const client = await connect();
    const ended = new Promise((resolve) => client.once('error', resolve));
    await client.query("BEGIN; SET LOCAL idle_in_transaction_session_timeout = '20ms'");
    await ended;
    await expect(jobs.submit(Scripted, RETURN, { within: client })).rejects.toThrow(
      'The transaction did not take the submission',
    );
    expect(await jobs.depth()).toBe(0);
  });

  it('needs no other connection: a pool of one, which the store shares, is enough', async () => {
    const pool = new Pool({ connectionString: server.url, max: 1 });
    onTestFinished(() => pool.end());
    const { jobs } = await start(pool);
    const client = await pool.connect();
    await client.query('BEGIN');
    const { id } = await jobs.submit(Scripted, RETURN, { within: client });
    await client.query('COMMIT');
    client.release();
    expect(await jobs.find(id)).toMatchObject({ status: 'Queued' });
  });

  it('of a key that another transaction has committed since the snapshot loses the race, and can be repeated', async () => {
    const { jobs } = await start();
    const [one, other] = [await connect(), await connect()];
    for (const client of [one, other]) {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      await client.query('SELECT count(*) FROM pg_class');
    }
    const first = await jobs.submit(Scripted, RETURN, { within: one, idempotencyKey: 'k' });
    await one.query('COMMIT');
    const lost = jobs.submit(Scripted, RETURN, { within: other, idempotencyKey: 'k' });
    await expect(lost).rejects.toMatchObject({ code: '40001' });
    await other.query('ROLLBACK');
    await other.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    const again = await jobs.submit(Scripted, RETURN, { within: other, idempotencyKey: 'k' });
    await other.query('COMMIT');
    expect([again.id, again.replayed]).toEqual([first.id, true]);
  });

  it.runIf(hasPgBouncer)('works behind PgBouncer in transaction mode', async () => {
    const { jobs } = await start();
    const url = await startPgBouncer(server.port);
    const [one, other] = [await connect(url), await connect(url)];
    for (const client of [one, other]) await client.query('BEGIN');
    const committed = await jobs.submit(Scripted, RETURN, { within: one });
    const rolledBack = await jobs.submit(Scripted, RETURN, { within: other });
    await Promise.all([one.query('COMMIT'), other.query('ROLLBACK')]);
    expect([await jobs.find(committed.id), await jobs.find(rolledBack.id)]).toEqual([
      expect.objectContaining({ status: 'Queued' }),
      null,
    ]);
    await expect(jobs.submit(Scripted, RETURN, { within: one })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });
});
