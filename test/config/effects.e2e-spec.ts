import { createHmac } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type CanActivate, UseGuards } from '@nestjs/common';
import { redisCli, type RedisServer, startRedisServer, startSentinelOf } from '@app/redis-server';
import Database from 'better-sqlite3';
import { Redis } from 'ioredis';
import { type HttpOptions, JobStore, type Reply, type ResponseContext } from 'nestjs-async-endpoints';
import type { AsyncEndpointsSettings } from 'nestjs-async-endpoints/config';
import type { SqliteJobStore } from 'nestjs-async-endpoints/sqlite';
import { aJob, eventually } from 'nestjs-async-endpoints/testing';
import { temporaryFolder } from '../temporary-folder.js';
import { ConfiguredApp } from './configured-app.js';
import { ConfiguredPostgres } from './configured-postgres.js';

const folder = temporaryFolder();

type Variables = Readonly<Record<string, string>>;

/** What can be seen of an option. */
interface Effect {
  /** What its variable says, or code where it has none. */
  readonly is: string | (() => string) | AsyncEndpointsSettings;
  /** What else is configured, with and without it. */
  readonly given?: Variables | (() => Variables);
  readonly code?: AsyncEndpointsSettings;
  /** @param patienceMs how long to wait for what may never come */
  see(app: ConfiguredApp, patienceMs: number): unknown;
  /** What is seen with it, and not without it. */
  readonly shows: unknown;
}

const UNKNOWN = '/jobs/d0a7d9f6-5a3f-4c57-9a31-7a2b6d2c1f00';
const API = { ASYNC_ROLE: 'api' };
const FORBID: CanActivate = { canActivate: () => false };
const REFUSED = 'refused to boot';

const code = async (app: ConfiguredApp) => ((await (await app.get(UNKNOWN)).json()) as { code?: string }).code;
const claim = (app: ConfiguredApp) => eventually(() => app.store.claims[0]);
const location = async (app: ConfiguredApp) => (await app.post({ do: 'return' })).headers.get('location') ?? '';
const under = async (app: ConfiguredApp) => (await location(app)).replace(/\/[^/]+$/, '');
const within = (probe: () => boolean, ms: number) => eventually(probe, ms).catch(() => false);

async function stored(app: ConfiguredApp) {
  await app.post({ do: 'return' }, { 'Idempotency-Key': 'one' });
  return app.store.submitted[0];
}

/** What `context.run` notes. */
const entered: string[] = [];

async function running(app: ConfiguredApp, obedient = false, headers: Record<string, string> = {}) {
  await app.post({ do: 'stay', obedient }, headers);
  return (await app.handler.nextRun()).context;
}

/** The status of a second stream while a first one is open. */
async function held(app: ConfiguredApp): Promise<number> {
  const events = `${await location(app)}/events`;
  const first = await app.get(events);
  const { status, body } = await app.get(events);
  await Promise.all([first.body?.cancel(), body?.cancel()]);
  return status;
}

function httpOptionsOf(app: ConfiguredApp): HttpOptions {
  return app.nest.get<{ http: HttpOptions }>(Symbol.for('nestjs-async-endpoints:options')).http;
}

async function delay(app: ConfiguredApp): Promise<unknown> {
  await app.post({ do: 'throw', message: 'no' });
  const settlement = await eventually(() => app.store.settled[0]);
  return settlement.verb === 'retry' && settlement.delayMs;
}

/** A factory that leaves its mark. */
const marking = (_subject: unknown, { reply }: ResponseContext): Reply => ({ ...reply, status: 299 });

const STEADY = { ASYNC_JOBS_RETRY_JITTER: '0' };

/** As a client chooses them. */
const CHOSEN_IDS = Array.from({ length: 16 }, (_, at) => `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`);

const EFFECTS: Record<string, Effect> = {
  role: { is: 'worker', see: code, shows: undefined },
  store: {
    is: 'redis',
    given: { ASYNC_STORE: 'memory' },
    see: (app) => app.nest.get(JobStore).constructor.name,
    shows: 'RedisJobStore',
  },
  isGlobal: { is: { isGlobal: false }, see: (app) => app.isElsewhere, shows: false },

  'redis.url': {
    is: () => `redis://:secret@127.0.0.1:${redis.port}/1`,
    see: async (app) => (await location(app)) && keys(1),
    shows: expect.arrayContaining(['ae']),
  },
  'redis.username': { is: 'alice', see: users, shows: expect.arrayContaining(['alice']) },
  'redis.password': { is: 'secret', see: () => 'boots', shows: 'boots' },
  'redis.sentinelUsername': {
    is: 'watcher',
    given: { ASYNC_REDIS_SENTINEL_PASSWORD: 'watching', ASYNC_REDIS_COMMAND_TIMEOUT_MS: '500' },
    see: () => 'boots',
    shows: 'boots',
  },
  'redis.sentinelPassword': {
    is: 'of the sentinel',
    given: { ASYNC_REDIS_COMMAND_TIMEOUT_MS: '500' },
    see: () => 'boots',
    shows: 'boots',
  },
  'redis.prefix': {
    is: 'shop',
    see: async (app) => (await location(app)) && keys(0),
    shows: expect.arrayContaining(['shop']),
  },
  'redis.connect': {
    is: 'degraded',
    given: { REDIS_URL: 'redis://127.0.0.1:1', ASYNC_REDIS_COMMAND_TIMEOUT_MS: '200' },
    see: () => 'boots',
    shows: 'boots',
  },
  'redis.commandTimeoutMs': {
    is: '400',
    see: async (app) => {
      await admin.call('CLIENT', 'PAUSE', '1500');
      const { code: answer } = await app.nest
        .get(JobStore)
        .ping()
        .then(
          () => ({ code: 'late' }),
          (error: { code: string }) => error,
        );
      await admin.ping(); // when the pause is over
      return answer;
    },
    shows: 'STORE_UNAVAILABLE',
  },
  'redis.partitions': {
    is: '256',
    see: async (app) => {
      await Promise.all(Array.from({ length: 9 }, () => location(app)));
      await admin.select(0);
      return (await admin.keys('{ae:*}:jobs')).length > 1;
    },
    shows: true,
  },
  'redis.partitionSecret': {
    is: 'a secret of the test',
    given: { ASYNC_REDIS_PARTITIONS: '2' },
    see: async (app) => {
      await Promise.all(CHOSEN_IDS.map((id) => app.post({ do: 'return' }, { 'x-async-request-id': id })));
      await admin.select(0);
      return (await admin.hkeys('{ae:0}:jobs')).filter((id) => CHOSEN_IDS.includes(id)).toSorted();
    },
    // HMAC-SHA-256 of the id, its first 32 bits, modulo 2: as docs/redis-layout.md says.
    shows: CHOSEN_IDS.filter(
      (id) => createHmac('sha256', 'a secret of the test').update(id).digest().readUInt32BE() % 2 === 0,
    ),
  },
  'redis.priorityAgingMs': { is: '1', given: API, see: firstClaimed, shows: -1 },

  'postgres.url': {
    is: () => postgres.url(),
    given: { ...API, ASYNC_STORE: 'postgres' },
    see: async (app) => (await location(app)) && (await postgres.jobs()),
    shows: 1,
  },
  'postgres.password': {
    is: 'secret',
    given: () => ({ ...API, POSTGRES_URL: postgres.url('locked') }),
    see: async (app) => (await location(app)) && (await postgres.jobs()),
    shows: 1,
  },
  'postgres.listen': {
    is: () => postgres.url('postgres', 'direct'),
    given: onPostgres,
    code: { role: 'all' },
    see: (_app, patienceMs) => postgres.listens('direct', patienceMs),
    shows: true,
  },
  'postgres.schema': { is: 'orders', given: onPostgres, see: () => postgres.schemas(), shows: ['orders'] },
  'postgres.migrate': { is: 'false', given: onPostgres, see: () => 'boots', shows: REFUSED },
  'postgres.synchronousClaims': {
    is: 'false',
    given: onPostgres,
    see: (app) => postgres.commitOfClaim(app),
    shows: 'off',
  },
  'postgres.connect': {
    is: 'degraded',
    given: { ...API, POSTGRES_URL: 'postgres://127.0.0.1:1', ASYNC_POSTGRES_COMMAND_TIMEOUT_MS: '200' },
    see: () => 'boots',
    shows: 'boots',
  },
  'postgres.commandTimeoutMs': {
    is: '400',
    given: onPostgres,
    see: (app) => postgres.locked(app),
    shows: 'STORE_UNAVAILABLE',
  },
  'postgres.priorityAgingMs': { is: '1', given: onPostgres, see: firstClaimed, shows: -1 },

  'sqlite.path': {
    is: () => sqlitePath(),
    given: { ...API, ASYNC_STORE: 'sqlite' },
    see: async (app) => (await location(app)) && existsSync(sqlitePath()),
    shows: true,
  },
  'sqlite.synchronous': {
    is: 'NORMAL',
    given: onSqlite(),
    see: ({ nest }) => nest.get<SqliteJobStore>(JobStore).synchronous,
    shows: 'NORMAL',
  },
  'sqlite.busyTimeoutMs': {
    is: '50',
    given: onSqlite(),
    see: async (app) => {
      const other = new Database(sqlitePath());
      other.exec('BEGIN IMMEDIATE');
      const { code: answer } = await Promise.race([
        app.nest
          .get(JobStore)
          .ping()
          .catch((error: { code: string }) => error)
          .then((error) => error ?? { code: 'done' }),
        new Promise<{ code: string }>((resolve) => setTimeout(() => resolve({ code: 'late' }), 3_000)),
      ]);
      other.close();
      return answer;
    },
    shows: 'STORE_UNAVAILABLE',
  },
  'sqlite.priorityAgingMs': { is: '1', given: onSqlite(), see: firstClaimed, shows: -1 },

  'worker.workerId': { is: 'me', see: async (app) => (await claim(app)).worker, shows: `me@${hostname()}` },
  'worker.version': {
    is: '1.2.3',
    see: async (app) => {
      const known = await eventually(async () => (await app.jobs.workers())[0]);
      return known?.version;
    },
    shows: '1.2.3',
  },
  // One claim asks for half of the free slots, so that the next can be on its way meanwhile.
  'worker.maxConcurrency': { is: '3000', see: async (app) => (await claim(app)).limit, shows: 1_500 },
  'worker.maxClaimBatchSize': {
    is: '2',
    given: { ASYNC_WORKER_CONCURRENCY: '5' },
    see: async (app) => (await claim(app)).limit,
    shows: 2,
  },
  'worker.pollingIntervalMs': {
    is: '10',
    see: (app, ms) => within(() => app.store.claims.length > 3, ms),
    shows: true,
  },
  'worker.leaseMs': { is: '1234', see: async (app) => (await claim(app)).leaseMs, shows: 1_234 },
  'worker.drainTimeoutMs': {
    is: '0',
    see: async (app, ms) => {
      const { signal } = await running(app, true);
      const closing = app.nest.close();
      const isAborted = await within(() => signal.aborted, ms);
      for (const { leave } of app.handler.runs) leave.open(null);
      await closing;
      return isAborted;
    },
    shows: true,
  },
  'worker.abortGraceMs': {
    is: '0',
    given: { ASYNC_JOBS_TIMEOUT_MS: '20' },
    see: async (app, ms) => {
      const { signal } = await running(app);
      await eventually(() => signal.aborted);
      return within(() => app.worker.running === 0, ms);
    },
    shows: true,
  },
  'worker.globalEnhancers': {
    is: 'true',
    see: async (app) => {
      await running(app);
      return app.guarded;
    },
    shows: ['http', 'async-job'],
  },

  'context.names': {
    is: 'tenant',
    code: { context: { read: (name) => `a ${name}` } },
    see: async (app) => (await running(app)).values,
    shows: { tenant: 'a tenant' },
  },
  'context.read': {
    is: { context: { read: () => 'read' } },
    given: { ASYNC_CONTEXT_NAMES: 'tenant' },
    see: async (app) => (await running(app)).values,
    shows: { tenant: 'read' },
  },
  'context.run': {
    is: { context: { run: (_values, work) => [entered.push('context'), work()][1] } },
    see: async (app) => {
      entered.length = 0;
      await running(app);
      return [...entered];
    },
    shows: ['context'],
  },
  'worker.abortOnLeaseEnd': {
    is: 'true',
    given: { ASYNC_WORKER_LEASE_MS: '100' },
    see: async (app, ms) => {
      app.store.renews = false;
      const { signal } = await running(app, true);
      return within(() => signal.aborted, ms);
    },
    shows: true,
  },
  'worker.autoStart': { is: 'false', see: (app) => app.worker.isStarted, shows: false },

  'jobs.defaultMaxRetries': { is: '9', see: async (app) => (await stored(app))?.maxRetries, shows: 9 },
  'jobs.retryCurve': { is: 'fixed', given: STEADY, see: delay, shows: 2_000 },
  'jobs.retryDelayBaseMs': { is: '2500', given: STEADY, see: delay, shows: 5_000 },
  'jobs.maxRetryDelayMs': { is: '7', given: STEADY, see: delay, shows: 7 },
  'jobs.retryJitter': { is: '0', see: delay, shows: 4_000 },
  'jobs.timeoutMs': {
    is: '20',
    see: async (app, ms) => {
      const { signal } = await running(app, true);
      return (await within(() => signal.aborted, ms)) && (signal.reason as { code: string }).code;
    },
    shows: 'JOB_TIMEOUT',
  },
  'jobs.retention.completedMs': kept('completedMs'),
  'jobs.retention.failedMs': kept('failedMs'),
  'jobs.retention.canceledMs': kept('canceledMs'),
  'jobs.idempotencyRetentionMs': {
    is: '77',
    see: async (app) => (await stored(app))?.idempotency?.retentionMs,
    shows: 77,
  },
  'jobs.maxQueueSize': {
    is: '1',
    given: API,
    see: async (app) => (await location(app)) && (await app.post({ do: 'return' })).status,
    shows: 503,
  },
  'jobs.maxQueueBytes': {
    is: '1',
    given: API,
    see: async (app) => (await location(app)) && (await app.post({ do: 'return' })).status,
    shows: 503,
  },
  'jobs.maxPayloadBytes': { is: '10', see: async (app) => (await app.post({ do: 'return' })).status, shows: 413 },
  'jobs.maxResultBytes': {
    is: '10',
    given: { ASYNC_MAX_RETRIES: '0' },
    see: async (app) => {
      await app.post({ do: 'return', value: 'longer than ten bytes' });
      const { verb } = await eventually(() => app.store.settled[0]);
      return verb;
    },
    shows: 'fail',
  },

  'recovery.enabled': {
    is: 'false',
    see: async (app) => (await eventually(() => app.store.purges > 0)) && app.store.recoveries.length,
    shows: 0,
  },
  'recovery.sweepIntervalMs': { is: '10', see: (app, ms) => within(() => app.store.purges > 3, ms), shows: true },
  'recovery.maxCrashes': {
    is: '9',
    see: async (app) => (await eventually(() => app.store.recoveries[0])).maxCrashes,
    shows: 9,
  },
  'recovery.batchSize': {
    is: '9',
    see: async (app) => (await eventually(() => app.store.recoveries[0])).limit,
    shows: 9,
  },

  'http.statusRoutes': { is: 'false', see: code, shows: undefined },
  'http.path': { is: 'admin/tasks', see: under, shows: '/admin/tasks' },
  'http.guards': {
    is: { http: { guards: [FORBID] } },
    see: async (app) => (await app.get(UNKNOWN)).status,
    shows: 403,
  },
  'http.decorators': {
    is: { http: { decorators: [UseGuards(FORBID)] } },
    see: async (app) => (await app.get(UNKNOWN)).status,
    shows: 403,
  },
  'http.version': { is: '2', see: under, shows: '/v2/jobs' },
  'http.owner': { is: { http: { owner: () => 'me' } }, see: async (app) => (await stored(app))?.owner, shows: 'me' },
  'http.captureHeaders': {
    is: 'accept, x-colour',
    see: async (app) => (await running(app, false, { 'X-Colour': 'blue' })).headers.get('x-colour'),
    shows: 'blue',
  },
  'http.captureQueryParams': {
    is: 'page, size',
    see: async (app) => {
      await app.post({ do: 'return' }, {}, '?page=2&other=3');
      return [...(await app.handler.nextRun()).context.queryParams];
    },
    shows: [['page', '2']],
  },
  'http.idempotencyScope': {
    is: { http: { idempotencyScope: ({ headers }) => headers['x-tenant'] as string } },
    given: API,
    see: async (app) => {
      const idOf = async (tenant: string) =>
        (await app.post({ do: 'return' }, { 'Idempotency-Key': 'k', 'X-Tenant': tenant })).headers.get('location');
      return (await idOf('a')) === (await idOf('b'));
    },
    shows: false,
  },
  'http.publicBasePath': { is: '/shop', see: under, shows: '/shop/jobs' },
  'http.unfinishedStatus': {
    is: '200',
    given: API,
    see: async (app) => (await app.get(await location(app))).status,
    shows: 200,
  },
  'http.showAttempts': {
    is: 'true',
    see: async (app) => {
      const { id } = await app.jobs.submit('Scripted', { do: 'return' }, { delayMs: 3_600_000 });
      return Object.hasOwn((await (await app.get(`/jobs/${id}`)).json()) as object, 'failedAttempts');
    },
    shows: true,
  },
  'http.maxRetryAfterMs': {
    is: '7000',
    see: async (app) => {
      const { id } = await app.jobs.submit('Scripted', { do: 'return' }, { delayMs: 3_600_000 });
      return (await app.get(`/jobs/${id}`)).headers.get('retry-after');
    },
    shows: '7',
  },
  'http.maxWaitMs': {
    is: '0',
    given: API,
    see: async (app) => (await app.post({ do: 'return' }, { Prefer: 'wait=1' })).headers.get('preference-applied'),
    shows: null,
  },
  'http.maxHeldAnswers': { is: '1', given: API, see: held, shows: 503 },
  'http.maxHeldAnswersPerOwner': {
    is: { http: { maxHeldAnswersPerOwner: 1, owner: () => 'me' } },
    given: API,
    see: held,
    shows: 429,
  },
  // What it does is in test/http/slow-readers.e2e-spec.ts; here, that it is read and validated.
  'http.slowReaderTimeoutMs': { is: '100', see: (app) => httpOptionsOf(app).slowReaderTimeoutMs, shows: 100 },
  'http.keepAliveMs': {
    is: '1000',
    given: API,
    see: async (app, ms) => {
      const { body } = await app.get(`${await location(app)}/events`);
      let text = '';
      const reader = (body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
      const read = async () => {
        for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) text += chunk.value;
      };
      void read().catch(() => {});
      const isAlive = await within(() => /^:/m.test(text.replace(/^.*?\n\n/s, '')), ms + 1_500);
      await reader.cancel();
      return isAlive;
    },
    shows: true,
  },
  'http.shutdownDelayMs': {
    is: '1000',
    see: async (app) => {
      const closing = app.nest.close();
      await eventually(() => app.worker.isStopping);
      const answer = await app.post({ do: 'return' }).catch(() => null);
      await closing;
      return answer?.status;
    },
    shows: 202,
  },

  'response.jobSubmitted': {
    is: { response: { jobSubmitted: marking } },
    see: async (app) => (await app.post({ do: 'return' })).status,
    shows: 299,
  },
  'response.jobStatus': {
    is: { response: { jobStatus: marking } },
    see: async (app) => (await app.get(UNKNOWN)).status,
    shows: 299,
  },
  'response.submissionError': {
    is: { response: { submissionError: marking } },
    given: { ASYNC_JOBS_MAX_PAYLOAD_BYTES: '1' },
    see: async (app) => (await app.post({ do: 'return' })).status,
    shows: 299,
  },
  'response.exception': {
    is: { response: { exception: marking } },
    code: {
      http: {
        owner: () => {
          throw new Error('no owner');
        },
      },
    },
    see: async (app) => (await app.get(UNKNOWN)).status,
    shows: 299,
  },
};

function kept(what: 'completedMs' | 'failedMs' | 'canceledMs'): Effect {
  const given = { ASYNC_JOBS_IDEMPOTENCY_RETENTION_MS: '0' };
  return { is: '77', given, see: async (app) => (await stored(app))?.retention[what], shows: 77 };
}

let redis: RedisServer;
let sentinel: RedisServer;
let admin: Redis;
let postgres: ConfiguredPostgres;

/** The priority of what a claim takes first: of a job that waits for some ms, or of one of larger priority. */
async function firstClaimed({ nest }: ConfiguredApp): Promise<number | undefined> {
  const store = nest.get(JobStore);
  const submit = async (priority: number, name = 'Work') => {
    const [submission] = await store.submit([aJob({ name, priority })], { queueLimit: 1_000 });
    return submission?.outcome === 'created' ? submission.job.createdAt : 0;
  };
  const first = await submit(-1);
  await eventually(async () => (await submit(0, 'Other')) > first + 1);
  await submit(0);
  const slots = new Map([['Work', 1]]);
  return (await store.claim({ worker: 'w', leaseMs: 1_000, limit: 1, slots }))[0]?.job.priority;
}

/** One file for all: each boot finds it empty. */
function sqlitePath(): string {
  return join(folder, 'jobs.db');
}

function onPostgres(): Variables {
  return { ...API, POSTGRES_URL: postgres.url() };
}

function onSqlite(): Variables {
  return { ...API, SQLITE_PATH: sqlitePath() };
}

/** What the keys of a database begin with. */
async function keys(database: number): Promise<string[]> {
  await admin.select(database);
  const found = await admin.keys('*');
  return [...new Set(found.map((key) => key.split(/[^a-z]/).find(Boolean) as string))];
}

async function users(): Promise<string[]> {
  return [...String(await admin.client('LIST')).matchAll(/ user=(\w+)/g)].map(([, user]) => user as string);
}

/** What Redis needs before the option can be seen, by key. */
function redisOf(key: string): Variables {
  const { port } = redis;
  if (key.startsWith('redis.sentinel'))
    return { REDIS_URL: `redis+sentinel://:secret@127.0.0.1:${sentinel.port}/main` };
  if (key === 'redis.password') return { REDIS_URL: `redis://127.0.0.1:${port}` };
  if (key === 'redis.username') return { REDIS_URL: `redis://127.0.0.1:${port}`, ASYNC_REDIS_PASSWORD: 'secret' };
  return { REDIS_URL: `redis://:secret@127.0.0.1:${port}/0` };
}

async function seen(
  key: string,
  { see, code: overrides = {}, given = {}, is }: Effect,
  isSet: boolean,
): Promise<unknown> {
  const variables = {
    ...(/^(redis|store)/.test(key) && redisOf(key)),
    ...(typeof given === 'function' ? given() : given),
  };
  const said = typeof is === 'function' ? is() : is;
  const stated = typeof said === 'string' && isSet ? { [variableOf(key)]: said } : {};
  const inCode = typeof said === 'object' && isSet ? said : {};
  await admin.flushall();
  if (key.startsWith('postgres')) await postgres.empty();
  rmSync(sqlitePath(), { force: true });
  let app: ConfiguredApp;
  try {
    app = await ConfiguredApp.boot(
      { ...variables, ...stated },
      { ...overrides, ...inCode, http: { ...overrides.http, ...inCode.http } },
    );
  } catch {
    return REFUSED;
  }
  try {
    return await see(app, isSet ? 10_000 : 300);
  } finally {
    await app.close();
  }
}

let page: Map<string, string>;

function variableOf(key: string): string {
  return page.get(key) as string;
}

describe('Each option of docs/configuration.md has a visible effect', () => {
  beforeAll(async () => {
    const markdown = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
    const rows = [...markdown.matchAll(/^\| `([\w.]+)` +\| (?:`(\w+)`|code only) +\|/gm)];
    page = new Map(rows.map(([, key, variable]) => [key as string, variable ?? '']));
    redis = await startRedisServer();
    postgres = await ConfiguredPostgres.start();
    admin = new Redis(redis.url);
    await admin.config('SET', 'requirepass', 'secret');
    await admin.call('ACL', 'SETUSER', 'alice', 'on', '>secret', '~*', '&*', '+@all');
    sentinel = await startSentinelOf('main', redis);
    const ofSentinel = (...rules: string[]) => redisCli('-p', String(sentinel.port), 'ACL', 'SETUSER', ...rules);
    await ofSentinel('watcher', 'on', '>watching', '~*', '&*', '+@all');
    await ofSentinel('default', 'resetpass', '>of the sentinel');
  });

  afterAll(async () => {
    admin.disconnect();
    await Promise.all([redis.stop(), sentinel.stop(), postgres.stop()]);
  });

  it('without an exception', () => {
    expect(Object.keys(EFFECTS).toSorted()).toEqual([...page.keys()].toSorted());
  });

  it.each(Object.entries(EFFECTS))('%s', async (key, effect) => {
    expect(await seen(key, effect, true)).toEqual(effect.shows);
    expect(await seen(key, effect, false)).not.toEqual(effect.shows);
  });
});
