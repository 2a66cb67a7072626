import { type PostgresServer, startPostgresServer } from '@app/postgres-server';
import { PostgresJobStore } from 'nestjs-async-endpoints/postgres';
import { aJob, eventually } from 'nestjs-async-endpoints/testing';
import { Client } from 'pg';
import { figure, Processes } from '../stores/system.js';
import { ready, Submitters } from '../stores/submitters.js';
import { TcpProxy } from '../tcp-proxy.js';

const LIMITS = { queueLimit: 1_000_000 };
const PATIENCE_MS = 60_000;

let primary: PostgresServer;

beforeAll(async () => {
  primary = await startPostgresServer();
});

afterAll(() => primary.stop());

/** A store whose address leads to where the proxy says, as the name of a cluster does. */
async function behindAnAddress(): Promise<{ store: PostgresJobStore; address: TcpProxy }> {
  const address = await TcpProxy.to(primary.port);
  const url = `postgres://postgres@127.0.0.1:${address.port}/postgres`;
  const store = new PostgresJobStore({ url, commandTimeoutMs: 2_000 });
  await store.open();
  onTestFinished(() => store.close());
  return { store, address };
}

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'done',
    ({ code }: { code: string }) => code,
  );

async function sql(server: PostgresServer, ...statements: string[]): Promise<void> {
  const client = new Client(server.url);
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

it('goes on with a replica that was promoted, and loses nothing that was acknowledged', async () => {
  const { store, address } = await behindAnAddress();
  const replica = await primary.replicate();
  onTestFinished(() => replica.stop());
  // A commit is acknowledged when the replica has it, or a failover of any system would lose the last ones.
  await sql(primary, "ALTER SYSTEM SET synchronous_standby_names = '*'", 'SELECT pg_reload_conf()');
  const acknowledged: string[] = [];
  const refusals = new Set<string>();
  const end = new AbortController();
  const submitting = (async () => {
    while (!end.signal.aborted) {
      const job = aJob();
      const code = await codeOf(store.submit([job], LIMITS));
      if (code === 'done') acknowledged.push(job.id);
      else refusals.add(code);
    }
  })();
  const more = async () => {
    const before = acknowledged.length;
    await eventually(() => acknowledged.length > before + 20, PATIENCE_MS);
  };
  await more();
  const woken = store.waitForWork(['Elsewhere'], AbortSignal.timeout(PATIENCE_MS));
  await primary.crash();
  // The address leads to the replica before it accepts changes.
  address.target = replica.port;
  address.cut();
  await eventually(() => refusals.has('STORE_READ_ONLY'), PATIENCE_MS);
  await replica.promote();
  await more();
  end.abort();
  await submitting;
  const found = await store.find(acknowledged);
  expect(found.filter((job) => job === null)).toEqual([]);
  await store.submit([aJob({ name: 'Elsewhere' })], LIMITS);
  await woken;
  expect([...refusals].filter((code) => code !== 'STORE_READ_ONLY' && code !== 'STORE_UNAVAILABLE')).toEqual([]);
  figure(`PostgreSQL failover to a promoted replica: ${acknowledged.length} acknowledged, 0 lost`);
}, 180_000);

it('lets API and workers go on with a promoted replica: nothing acknowledged is lost, refusals are 503', async () => {
  const server = await startPostgresServer();
  onTestFinished(() => server.stop());
  const address = await TcpProxy.to(server.port);
  const url = `postgres://postgres@127.0.0.1:${address.port}/postgres`;
  const store = new PostgresJobStore({ url, commandTimeoutMs: 2_000 });
  await store.open();
  const system = new Processes(store, { POSTGRES_URL: url, ASYNC_POSTGRES_COMMAND_TIMEOUT_MS: '2000' });
  onTestFinished(() => system.stop());
  const replica = await server.replicate();
  onTestFinished(() => replica.stop());
  await sql(server, "ALTER SYSTEM SET synchronous_standby_names = '*'", 'SELECT pg_reload_conf()');
  const processes = await Promise.all([system.api(), system.worker(), system.worker()]);
  const submitters = new Submitters(processes[0], 4);
  await submitters.more(100, 'accepted');
  await server.crash();
  await submitters.more(4, 'refused');
  address.target = replica.port;
  address.cut();
  await eventually(() => submitters.refused.some(({ body }) => isReadOnly(body)), PATIENCE_MS);
  const crashedAt = performance.now();
  await replica.promote();
  await submitters.more(100, 'accepted', PATIENCE_MS);
  const tookMs = Math.round(performance.now() - crashedAt);
  await submitters.stop();
  await ready(processes, PATIENCE_MS);
  await system.until(submitters.accepted, 'Completed', PATIENCE_MS);
  const { accepted, refused } = submitters;
  expect(refused.filter(({ status }) => status !== 503)).toEqual([]);
  const lines = processes.map(({ output }) => output.split('\n').filter((line) => /"level":"(warn|error)"/.test(line)));
  figure(
    `PostgreSQL, R7: ${accepted.length} accepted, 0 lost, ${refused.length} refused, 100 more ${tookMs} ms after the promotion`,
  );
  figure(
    `PostgreSQL, R7: warnings and errors in the logs of API and workers: ${lines.map((own) => own.length).join(', ')}`,
  );
  await system.reset();
}, 180_000);

function isReadOnly(body: unknown): boolean {
  return (body as { code: string }).code === 'STORE_READ_ONLY';
}
