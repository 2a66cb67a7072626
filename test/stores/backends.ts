import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgresServer } from '@app/postgres-server';
import { startRedisServer } from '@app/redis-server';
import { PostgresJobStore } from 'nestjs-async-endpoints/postgres';
import { RedisJobStore } from 'nestjs-async-endpoints/redis';
import { SqliteJobStore } from 'nestjs-async-endpoints/sqlite';
import Database from 'better-sqlite3';
import { Redis } from 'ioredis';
import { Client } from 'pg';

export type Store = RedisJobStore | PostgresJobStore | SqliteJobStore;

/** Where jobs are kept: a server of the test file's own, or a file. */
export interface Backend {
  /** As `--store` of the command-line tool takes it. */
  readonly url: string;
  /** The variables by which an application finds it. */
  readonly env: Readonly<Record<string, string>>;
  /** By which the store's class is known, and its options, for a process of a test's own. */
  readonly store: readonly [kind: 'redis' | 'postgres' | 'sqlite', options: Readonly<Record<string, unknown>>];
  /** As the server refuses a connection, in the words of the tool. */
  readonly unreachable: readonly [url: string, said: RegExp];
  /** A store there; the test opens and closes it. */
  create(options?: { now?: () => number }): Store;
  /** Removes everything, also when workers last swept: else a store without them looks as after an outage. */
  empty(): Promise<void>;
  /** Makes one counter wrong, of the jobs that wait. */
  miscount(): Promise<void>;
  /** Ends it at once, as a machine that loses power; all that was acknowledged is there after {@link restart}. None for a file. */
  crash?(): Promise<void>;
  restart?(): Promise<void>;
  stop(): Promise<void>;
}

async function startRedis(): Promise<Backend> {
  const server = await startRedisServer(['--appendonly', 'yes', '--appendfsync', 'always']);
  const raw = new Redis(server.url, { retryStrategy: () => 20 }).on('error', () => {}); // it is crashed on purpose
  const options = { url: server.url, redis: { retryStrategy: () => 20 } };
  return {
    url: server.url,
    env: { REDIS_URL: server.url },
    store: ['redis', { url: server.url }],
    unreachable: [
      'redis://:geheim@127.0.0.1:1',
      /^async-endpoints: Redis cannot be used: connect ECONNREFUSED 127.0.0.1:1$/,
    ],
    create: (over) => new RedisJobStore({ ...options, ...over }),
    empty: async () => void (await raw.flushall()),
    miscount: async () => void (await raw.hincrby('{ae:0}:counters', 'waiting', 1)),
    crash: () => server.crash(),
    restart: () => server.restart(),
    async stop() {
      raw.disconnect();
      await server.stop();
    },
  };
}

const SHARED = ['job', 'tally', 'idempotency', 'paused', 'worker', 'action', 'schedule'];

async function startPostgres(): Promise<Backend> {
  const server = await startPostgresServer();
  const create: Backend['create'] = (over) => new PostgresJobStore({ url: server.url, ...over });
  const store = create();
  await store.open(); // makes the schema
  await store.close();
  const query = async (sql: string) => {
    const raw = new Client(server.url);
    await raw.connect();
    await raw.query(`SET search_path TO async_endpoints; ${sql}`);
    await raw.end();
  };
  return {
    url: server.url,
    env: { POSTGRES_URL: server.url },
    store: ['postgres', { url: server.url }],
    unreachable: ['postgres://ann:geheim@127.0.0.1:1/jobs', /^async-endpoints: .*connect ECONNREFUSED 127.0.0.1:1\)?$/],
    create,
    empty: () =>
      query(`TRUNCATE ${[...SHARED, 'done', 'lease', 'sweep'].join(', ')}; INSERT INTO sweep DEFAULT VALUES`),
    miscount: () => query('UPDATE tally SET queued = queued + 1'),
    crash: () => server.crash(),
    restart: () => server.restart(),
    stop: () => server.stop(),
  };
}

async function startSqlite(): Promise<Backend> {
  const folder = await mkdtemp(join(tmpdir(), 'async-endpoints-sqlite-'));
  const path = join(folder, 'jobs.db');
  const create: Backend['create'] = (over) => new SqliteJobStore({ path, ...over });
  const store = create();
  await store.open();
  await store.close();
  const run = async (sql: string) => {
    const raw = new Database(path);
    raw.exec(sql);
    raw.close();
  };
  return {
    url: `sqlite:${path}`,
    env: { SQLITE_PATH: path },
    store: ['sqlite', { path }],
    unreachable: ['sqlite:/nowhere/jobs.db', /^async-endpoints: There is no file \/nowhere\/jobs\.db: /],
    create,
    empty: () => run([...SHARED, 'revocation', 'silence'].map((table) => `DELETE FROM ${table}`).join('; ')),
    miscount: () => run('UPDATE tally SET count = count + 1 WHERE status = 0'),
    stop: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Every store that processes share, by its name. */
export const BACKENDS: Readonly<Record<'Redis' | 'PostgreSQL' | 'SQLite', () => Promise<Backend>>> = {
  Redis: startRedis,
  PostgreSQL: startPostgres,
  SQLite: startSqlite,
};

export const KINDS = Object.keys(BACKENDS) as (keyof typeof BACKENDS)[];
