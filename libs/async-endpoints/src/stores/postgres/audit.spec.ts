import { type PostgresServer, startPostgresServer } from '@app/postgres-server';
import { Client } from 'pg';
import { aJob } from '../../testing/a-job.js';
import { PostgresJobStore } from './postgres-job-store.js';

const LIMITS = { queueLimit: 1_000_000 };
const IDS = Array.from({ length: 6 }, (_, n) => `00000000-0000-4000-8000-00000000000${n}`);

describe('The audit of PostgresJobStore', () => {
  let server: PostgresServer;
  let raw: Client;
  let store: PostgresJobStore;
  let schemas = 0;

  beforeAll(async () => {
    server = await startPostgresServer();
    raw = new Client(server.url);
    await raw.connect();
  });
  afterAll(async () => {
    await raw.end();
    await server.stop();
  });
  beforeEach(async () => {
    const schema = `audit_${schemas++}`;
    store = new PostgresJobStore({ url: server.url, schema });
    await store.open();
    await raw.query(`SET search_path TO ${schema}`);
    await store.submit(
      IDS.map((id) => aJob({ id, name: 'Mail' })),
      LIMITS,
    );
    const claims = await claim(3);
    const error = { code: 'E', message: 'é' };
    const [failed, retried] = claims.map(({ job: { id, name }, fence }) => ({ id, name, fence }));
    await store.settle([
      { ...failed!, verb: 'fail', error },
      { ...retried!, verb: 'retry', delayMs: 60_000, error },
    ]);
  });
  afterEach(() => store.close());

  function claim(limit: number) {
    return store.claim({ worker: 'w', leaseMs: 60_000, limit, slots: new Map([['Mail', limit]]) });
  }

  it('finds nothing where all is well', async () => {
    expect(await store.audit()).toEqual([]);
  });

  it.each([
    ['UPDATE tally SET queued = queued + 6', 'The tally of Mail is short of -6 queued'],
    ['DELETE FROM tally', 'The tally of Mail is short of 3 queued, 1 scheduled, 1 running, 1 failed, '],
    ['DELETE FROM lease', `Job ${IDS[2]} is in progress, but no lease names it`],
    ['UPDATE lease SET lease_until = 9e15', `Job ${IDS[2]} is in progress, but no lease names it`],
    ['UPDATE lease SET live = 7', 'has 7 live claims; there are 1'],
    ["UPDATE job SET lease_until = NULL WHERE status = 'InProgress'", `Job ${IDS[2]} has a claim although`],
    ["UPDATE job SET worker = 'w' WHERE status = 'Scheduled'", `Job ${IDS[1]} has a claim although`],
  ])('finds and repairs %s, and keeps every job', async (sql, deviation) => {
    await raw.query(sql);
    const found = await store.audit();
    expect(found).toContainEqual(expect.stringContaining(deviation));
    expect(await store.audit({ repair: true })).toEqual(found);
    expect(await store.audit()).toEqual([]);
    const jobs = await store.find(IDS);
    expect(jobs.map((job) => job?.status)).toEqual([
      'Failed',
      'Scheduled',
      'InProgress',
      ...Array<string>(3).fill('Queued'),
    ]);
    expect(await claim(10)).toHaveLength(3);
  });

  it('names a job that is both finished and not, and leaves it to a person', async () => {
    await raw.query(`CREATE TEMPORARY TABLE twin AS SELECT * FROM done; UPDATE twin SET id = '${IDS[4]}';
      INSERT INTO done SELECT * FROM twin; DROP TABLE twin`);
    await store.audit({ repair: true });
    expect(await store.audit()).toEqual([`Job ${IDS[4]} is there twice`]);
  });

  it('repairs counts beside an application that goes on', async () => {
    await raw.query('UPDATE tally SET queued = queued + 100');
    const ended = new AbortController();
    const writing = (async () => {
      while (!ended.signal.aborted) await store.submit([aJob({ name: 'Mail' })], LIMITS);
    })();
    await store.audit({ repair: true }).finally(() => ended.abort());
    await writing;
    expect(await store.audit()).toEqual([]);
  });

  it('recovers a job whose lease was gone, when its claim ends', async () => {
    await raw.query('DELETE FROM lease');
    await raw.query("UPDATE job SET lease_until = 1 WHERE status = 'InProgress'");
    const sweep = { limit: 10, maxCrashes: 3 };
    expect(await store.recover(sweep)).toEqual([]);
    await store.audit({ repair: true });
    expect(await store.recover(sweep)).toMatchObject([{ job: { id: IDS[2], status: 'Queued' } }]);
  });
});
