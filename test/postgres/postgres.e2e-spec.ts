import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type PostgresServer, startPostgresServer } from '@app/postgres-server';
import { PostgresJobStore, type PostgresJobStoreOptions } from 'nestjs-async-endpoints/postgres';
import { aJob, eventually } from 'nestjs-async-endpoints/testing';
import { Client } from 'pg';
import { figure } from '../redis/system.js';

/** How often a writer is killed; the server as often. `POSTGRES_KILLS=50` is the long run. */
const KILLS = Number(process.env['POSTGRES_KILLS'] ?? 2);
const WRITER = fileURLToPath(new URL('writer.mjs', import.meta.url));
const LIMITS = { queueLimit: 1_000_000 };
const PATIENCE_MS = 60_000;

let server: PostgresServer;
let schemas = 0;

beforeAll(async () => {
  server = await startPostgresServer();
});

afterAll(() => server.stop());

/** A store with a schema of its own, closed when the test ends. */
async function opened(options: PostgresJobStoreOptions = {}): Promise<PostgresJobStore> {
  const store = new PostgresJobStore({ url: server.url, schema: `test_${schemas++}`, ...options });
  await store.open();
  onTestFinished(() => store.close());
  return store;
}

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'done',
    ({ code }: { code: string }) => code,
  );

/** Waits and claims, as a worker does, until it has claimed a job. */
async function claimedBy(store: PostgresJobStore, signal: AbortSignal): Promise<string | undefined> {
  while (!signal.aborted) {
    await store.waitForWork(['Work'], signal);
    const request = { worker: 'w', leaseMs: 60_000, limit: 1, slots: new Map([['Work', 1]]) };
    const [claim] = await store.claim(request).catch(() => []);
    if (claim) return claim.job.id;
  }
  return undefined;
}

/** Writes until it is killed; what the store has acknowledged to it is in `said`. */
class Writer {
  said = '';
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;

  constructor() {
    this.#child = spawn(process.execPath, [WRITER, server.url], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#closed = once(this.#child, 'close');
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.said += text));
  }

  /** Waits until the store has acknowledged more to it. */
  async more(): Promise<void> {
    const before = this.said.length;
    await eventually(() => this.said.slice(before).includes('completed '), PATIENCE_MS);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }
}

it('loses no acknowledged job when writers and the server are killed during writes', async () => {
  const writers = [new Writer(), new Writer()];
  onTestFinished(async () => void (await Promise.all(writers.map((writer) => writer.kill()))));
  for (let kill = 1; kill <= KILLS; kill++) {
    await Promise.all(writers.slice(-2).map((writer) => writer.more()));
    await writers.at(-2)?.kill();
    writers.push(new Writer());
    await writers.at(-1)?.more();
    await server.crash();
    await server.restart();
  }
  await Promise.all(writers.slice(-2).map((writer) => writer.more()));
  await Promise.all(writers.slice(-2).map((writer) => writer.kill()));
  const lines = writers.flatMap(({ said }) => said.split('\n').slice(0, -1));
  const of = (what: string) => lines.filter((line) => line.startsWith(what)).map((line) => line.slice(what.length));
  const [submitted, completed] = [of('submitted '), of('completed ')];
  const store = new PostgresJobStore({ url: server.url });
  await store.open();
  onTestFinished(() => store.close());
  const lost: string[] = [];
  for (let at = 0; at < submitted.length; at += 500) {
    const ids = submitted.slice(at, at + 500);
    const found = await store.find(ids);
    lost.push(...ids.filter((_, n) => !found[n]));
  }
  const unfinished: string[] = [];
  for (let at = 0; at < completed.length; at += 500) {
    const found = await store.find(completed.slice(at, at + 500));
    unfinished.push(...found.filter((job) => job?.status !== 'Completed').map((job) => String(job?.status)));
  }
  expect({ lost, unfinished }).toEqual({ lost: [], unfinished: [] });
  expect(new Set(completed).size).toBe(completed.length);
  figure(
    `PostgreSQL and a writer killed ${KILLS} times each: ${submitted.length} submitted, ${completed.length} completed, 0 lost`,
  );
}, 600_000);

it('rejects calls in time while the server does not reply, and continues when it does', async () => {
  const store = await opened({ commandTimeoutMs: 500 });
  const job = aJob();
  await store.submit([job], LIMITS);
  server.pause();
  try {
    expect(await codeOf(store.submit([aJob()], LIMITS))).toBe('STORE_UNAVAILABLE');
    expect(await codeOf(store.find([job.id]))).toBe('STORE_UNAVAILABLE');
  } finally {
    server.resume();
  }
  await eventually(async () => (await codeOf(store.ping())) === 'done', PATIENCE_MS);
  expect(await store.find([job.id])).toMatchObject([{ id: job.id, status: 'Queued' }]);
}, 120_000);

it('opens degraded while the server is unreachable, and connects when it is back', async () => {
  await server.crash();
  const options = { schema: 'degraded', connect: 'degraded', commandTimeoutMs: 1_000 } as const;
  const failFast = new PostgresJobStore({ url: server.url, commandTimeoutMs: 1_000 });
  try {
    expect(await codeOf(failFast.open())).toBe('STORE_UNAVAILABLE');
  } finally {
    await server.restart();
  }
  await (await opened({ schema: 'degraded' })).close();
  await server.crash();
  let store: PostgresJobStore;
  try {
    store = await opened(options);
    expect(await codeOf(store.ping())).toBe('STORE_UNAVAILABLE');
  } finally {
    await server.restart();
  }
  await eventually(async () => (await codeOf(store.submit([aJob()], LIMITS))) === 'done', PATIENCE_MS);
}, 120_000);

it('wakes a worker that waited while the server crashed and restarted', async () => {
  const store = await opened();
  const end = new AbortController();
  onTestFinished(() => end.abort());
  const claimed = claimedBy(store, end.signal);
  await server.crash();
  await server.restart();
  const job = aJob();
  await eventually(async () => (await codeOf(store.submit([job], LIMITS))) === 'done', PATIENCE_MS);
  expect(await claimed).toBe(job.id);
}, 120_000);

it('polls for work when notifications do not arrive, as behind a pooler', async () => {
  const admin = new Client(server.url);
  await admin.connect();
  await admin.query('CREATE DATABASE elsewhere');
  await admin.end();
  // Notifications are those of one database: who listens in another hears nothing.
  const store = await opened({ listen: server.url.replace(/\/postgres$/, '/elsewhere'), commandTimeoutMs: 1_000 });
  const end = new AbortController();
  onTestFinished(() => end.abort());
  const claimed = claimedBy(store, end.signal);
  const job = aJob();
  await store.submit([job], LIMITS);
  expect(await claimed).toBe(job.id);
}, 60_000);

it('reports a read-only server, and continues with the primary after a failover', async () => {
  const store = await opened();
  const admin = new Client(server.url);
  await admin.connect();
  onTestFinished(() => admin.end());
  const only = async (what: 'on' | 'off') => {
    await admin.query(`SET default_transaction_read_only = off`);
    await admin.query(`ALTER SYSTEM SET default_transaction_read_only = ${what}`);
    await admin.query('SELECT pg_reload_conf()');
  };
  await only('on');
  await eventually(async () => (await codeOf(store.submit([aJob()], LIMITS))) === 'STORE_READ_ONLY', PATIENCE_MS);
  await only('off');
  await eventually(async () => (await codeOf(store.submit([aJob()], LIMITS))) === 'done', PATIENCE_MS);
}, 120_000);

it('creates the schema once when several processes boot concurrently', async () => {
  const schema = 'at_once';
  await Promise.all(Array.from({ length: 8 }, () => opened({ schema })));
  const store = await opened({ schema, migrate: false });
  expect(await codeOf(store.submit([aJob()], LIMITS))).toBe('done');
  const absent = new PostgresJobStore({ url: server.url, schema: 'absent', migrate: false });
  await expect(absent.open()).rejects.toThrow('The version of the schema absent is 0; expected');
}, 60_000);
