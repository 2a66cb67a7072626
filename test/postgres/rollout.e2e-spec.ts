import { type PostgresServer, startPostgresServer } from '@app/postgres-server';
import { PostgresJobStore } from 'nestjs-async-endpoints/postgres';
import { aJob } from 'nestjs-async-endpoints/testing';
import { Client } from 'pg';

const LIMITS = { queueLimit: 1_000 };
const SLOTS = { worker: 'w', leaseMs: 60_000, limit: 10, slots: new Map([['Work', 10]]) };

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgresServer();
});

afterAll(() => server.stop());

async function opened(migrate = true): Promise<PostgresJobStore> {
  const store = new PostgresJobStore({ url: server.url, migrate });
  await store.open();
  onTestFinished(() => store.close());
  return store;
}

/** What a later version may do to a schema: see docs/postgres.md. */
const LATER = `
  SET search_path TO async_endpoints;
  CREATE TABLE later (id bigint PRIMARY KEY);
  INSERT INTO migration (version) SELECT max(version) + 1 FROM migration;`;

/** Every verb, once or more. */
async function live(store: PostgresJobStore): Promise<void> {
  const jobs = Array.from({ length: 6 }, () => aJob());
  const ids = jobs.map(({ id }) => id);
  await store.submit(jobs, LIMITS);
  const claims = await store.claim(SLOTS);
  const [complete, fail, retry, release, cancel, rerun] = claims.map(({ job: { id, name }, fence }) => ({
    id,
    name,
    fence,
  }));
  const error = { code: 'DOWN', message: 'no' };
  if (!complete || !fail || !retry || !release || !cancel || !rerun) throw new Error(`${claims.length} claims`);
  await store.renew([{ ...cancel, leaseMs: 60_000, progress: { fraction: 0.5, message: null } }]);
  await store.settle([
    { ...complete, verb: 'complete', result: '1' },
    { ...fail, verb: 'fail', error },
    { ...retry, verb: 'retry', delayMs: 60_000, error },
    { ...release, verb: 'release' },
    { ...rerun, verb: 'fail', error },
  ]);
  await store.cancel([cancel.id]);
  await store.rerun([rerun.id]);
  const statuses = new Map((await store.find(ids)).map((job) => [job?.id, job?.status]));
  expect([complete, fail, retry, release, cancel, rerun].map(({ id }) => statuses.get(id))).toEqual([
    'Completed',
    'Failed',
    'Scheduled',
    'Queued',
    'Canceled',
    'Queued',
  ]);
  const listed = await store.list({}, { limit: 100 });
  expect(ids.filter((id) => !listed.jobs.some((job) => job.id === id))).toEqual([]);
  await store.recover({ limit: 10, maxCrashes: 2, sweep: { silenceMs: 60_000, leaseMs: 60_000 } });
  await store.purge(10);
  await store.stats();
  await store.cancel([release.id, rerun.id]);
}

it('works on with a schema that a later release migrates under it, and boots on it', async () => {
  const running = await opened();
  await live(running);
  const admin = new Client(server.url);
  await admin.connect();
  onTestFinished(() => admin.end());
  await admin.query(LATER);
  const columns = [
    'job',
    'done',
    'lease',
    'tally',
    'idempotency',
    'paused',
    'worker',
    'schedule',
    'waiter',
    'watch',
    'sweep',
  ].map(
    (table) => `ALTER TABLE ${table} ADD COLUMN later text NOT NULL DEFAULT 'later'; CREATE INDEX ON ${table} (later)`,
  );
  await admin.query(columns.join('; '));
  await live(running);
  await live(await opened(false));
  const versions = await admin.query<{ version: number }>('SELECT version FROM migration ORDER BY version');
  expect(versions.rows).toHaveLength(2);
});
