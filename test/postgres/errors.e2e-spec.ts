import { type PostgresServer, startPostgresServer } from '@app/postgres-server';
import { PostgresJobStore } from 'nestjs-async-endpoints/postgres';
import { aJob, eventually } from 'nestjs-async-endpoints/testing';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Client } from 'pg';

const LIMITS = { queueLimit: 1_000_000 };
const PATIENCE_MS = 30_000;
const CONNECTIONS = 12;

let server: PostgresServer;
let admin: Client;
let schemas = 0;

beforeAll(async () => {
  server = await startPostgresServer([`max_connections=${CONNECTIONS}`, 'superuser_reserved_connections=0']);
  admin = new Client(server.url);
  await admin.connect();
});

afterAll(async () => {
  await admin.end();
  await server.stop();
});

async function opened(): Promise<{ store: PostgresJobStore; schema: string }> {
  const schema = `test_${schemas++}`;
  const store = new PostgresJobStore({ url: server.url, schema, commandTimeoutMs: 2_000 });
  await store.open();
  onTestFinished(() => store.close());
  return { store, schema };
}

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'done',
    ({ code }: { code: string }) => code,
  );

/** The server itself fails the next insertions of jobs with this code. */
async function failNext(schema: string, times: number, code: string): Promise<void> {
  await admin.query(`
    CREATE SEQUENCE ${schema}.failure;
    CREATE FUNCTION ${schema}.fail() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF nextval('${schema}.failure') <= ${times} THEN RAISE EXCEPTION 'simulated' USING ERRCODE = '${code}'; END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER fails BEFORE INSERT ON ${schema}.job FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.fail();`);
}

it.each(['40001', '40P01'])('repeats a call that loses a race (%s), five times at most', async (code) => {
  const { store, schema } = await opened();
  await failNext(schema, 5 + 6, code);
  expect(await codeOf(store.submit([aJob()], LIMITS))).toBe('STORE_UNAVAILABLE');
  const job = aJob();
  expect(await codeOf(store.submit([job], LIMITS))).toBe('done');
  expect(await store.find([job.id])).toMatchObject([{ id: job.id }]);
});

it('says that the disk is full, and goes on when it is not', async () => {
  const { store, schema } = await opened();
  await failNext(schema, 1, '53100');
  expect(await codeOf(store.submit([aJob()], LIMITS))).toBe('STORE_FULL');
  expect(await codeOf(store.submit([aJob()], LIMITS))).toBe('done');
});

it('goes on after its connections were ended by the server (57P01)', async () => {
  const { store } = await opened();
  await store.submit([aJob()], LIMITS);
  const waiting = store.waitForWork(['Other'], AbortSignal.timeout(PATIENCE_MS));
  const ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'async-endpoints%'";
  await eventually(async () => ((await admin.query(ended)).rowCount ?? 0) >= 2, PATIENCE_MS);
  await eventually(async () => (await codeOf(store.submit([aJob({ name: 'Other' })], LIMITS))) === 'done', PATIENCE_MS);
  await waiting;
});

it('refuses in time while the server has no connection left (53300), and goes on when it has', async () => {
  const { store } = await opened();
  const others: Client[] = [];
  const connects = async () => {
    const other = new Client(server.url);
    other.on('error', () => {});
    await other.connect();
    others.push(other);
  };
  await expect(
    (async () => {
      for (;;) await connects();
    })(),
  ).rejects.toMatchObject({ code: '53300' });
  const codes = await Promise.all(Array.from({ length: CONNECTIONS }, () => codeOf(store.ping())));
  expect(codes).toContain('STORE_UNAVAILABLE');
  expect(codes.filter((code) => code !== 'done' && code !== 'STORE_UNAVAILABLE')).toEqual([]);
  await Promise.all(others.map((other) => other.end()));
  await eventually(async () => (await codeOf(store.submit([aJob()], LIMITS))) === 'done', PATIENCE_MS);
});

it('survives a server that ends a connection at once, in the packet that accepts it', async () => {
  const accepted = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]); // AuthenticationOk, ReadyForQuery
  const fields = Buffer.from('SFATAL\0C57P01\0Mterminating connection\0\0');
  const head = Buffer.from([0x45, 0, 0, 0, 4 + fields.length]); // ErrorResponse
  const hasty = createServer((socket) => {
    socket.on('error', () => {}).once('data', () => socket.end(Buffer.concat([accepted, head, fields])));
  }).listen(0, '127.0.0.1');
  await once(hasty, 'listening');
  onTestFinished(() => void hasty.close());
  const { port } = hasty.address() as AddressInfo;
  const store = new PostgresJobStore({ url: `postgres://postgres@127.0.0.1:${port}/postgres`, commandTimeoutMs: 500 });
  expect(await codeOf(store.open())).toBe('STORE_UNAVAILABLE');
});
