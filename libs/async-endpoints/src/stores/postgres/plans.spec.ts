import { type PostgresServer, startPostgresServer } from '@app/postgres-server';
import { Pool } from 'pg';
import { aJob } from '../../testing/a-job.js';
import { PostgresJobStore } from './postgres-job-store.js';

const SLOTS = { worker: 'w', leaseMs: 60_000, limit: 100, slots: new Map([['Name1', 100]]) };
/** Each statement that a function executes is explained to the client. */
const EXPLAINED = [
  'session_preload_libraries=auto_explain',
  'auto_explain.log_min_duration=0',
  'auto_explain.log_nested_statements=on',
  'client_min_messages=log',
];

let server: PostgresServer;
let pool: Pool;
let store: PostgresJobStore;
let plans: string[] = [];

beforeAll(async () => {
  server = await startPostgresServer();
  pool = new Pool({ connectionString: server.url, options: EXPLAINED.map((setting) => `-c ${setting}`).join(' ') });
  pool.on('connect', (client) => client.on('notice', ({ message = '' }) => plans.push(message)));
  store = new PostgresJobStore({ pool });
  await store.open();
  const jobs = Array.from({ length: 3_000 }, (_, n) => aJob({ name: `Name${n % 3}`, owner: n % 2 ? 'ann' : null }));
  await store.submit(jobs, { queueLimit: 10_000 });
  const error = { code: 'DOWN', message: 'no' };
  for (const verb of ['complete', 'fail'] as const) {
    const claims = await store.claim(SLOTS);
    const settled = claims.map(({ job: { id, name }, fence }) => ({ id, name, fence, verb, result: '1', error }));
    await store.settle(settled);
  }
  await store.claim(SLOTS);
}, 60_000);

afterAll(async () => {
  await store.close();
  await pool.end();
  await server.stop();
});

/** The indexes by which a call reads, and those of the tables with jobs that it reads from end to end. */
async function readsOf(call: () => Promise<unknown>): Promise<{ indexes: string[]; tables: string[] }> {
  plans = [];
  await call();
  const found = (pattern: RegExp) =>
    [...new Set(plans.flatMap((plan) => [...plan.matchAll(pattern)].map(([, of]) => of as string)))].toSorted();
  return {
    indexes: found(/Index(?: Only)? Scan(?: Backward)? using (\w+)/g),
    tables: found(/(?:Seq|Bitmap Heap) Scan on (job|done|tally|idempotency)\b/g),
  };
}

describe.each(['before', 'after'])('PostgresJobStore, %s the server has gathered statistics', (when) => {
  beforeAll(async () => void (when === 'after' && (await pool.query('ANALYZE'))));

  const { id } = aJob();
  it.each<[what: string, call: () => Promise<unknown>, expected: string[]]>([
    ['lists a name', () => store.list({ name: 'Name1' }, { limit: 10 }), ['done_newest', 'job_newest', 'lease_newest']],
    ['lists a status', () => store.list({ status: 'Failed' }, { limit: 10 }), ['done_newest', 'job_newest']],
    ['lists an owner', () => store.list({ owner: 'ann' }, { limit: 10 }), ['done_owner', 'job_owner']],
    ['lists an error', () => store.list({ errorCode: 'DOWN' }, { limit: 10 }), ['done_error', 'job_error']],
    ['claims', () => store.claim(SLOTS), ['job_ready']],
    ['settles', () => store.settle([{ id, name: 'Name1', fence: 1, verb: 'release' }]), ['done_id', 'job_id']],
    ['renews', () => store.renew([{ id, fence: 1, leaseMs: 1 }]), ['done_id', 'job_id']],
    ['finds', () => store.find([id]), ['done_id', 'job_id']],
    ['cancels', () => store.cancel([id]), ['done_id', 'job_id']],
    ['reruns', () => store.rerun([id]), ['done_id', 'job_id']],
    ['recovers', () => store.recover({ limit: 10, maxCrashes: 2 }), ['job_id']],
    ['purges', () => store.purge(10), ['done_expiry', 'done_id']],
    ['counts', () => store.stats(), ['job_ready', 'lease_newest']],
  ])('%s by its index, and reads no table of jobs from end to end', async (_, call, expected) => {
    const { indexes, tables } = await readsOf(call);
    expect({ indexes, tables }).toMatchObject({ indexes: expect.arrayContaining(expected) as string[], tables: [] });
  });
});
