import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { aJob } from '../../testing/a-job.js';
import { SqliteJobStore } from './sqlite-job-store.js';

const LIMITS = { queueLimit: 1_000_000 };
const IDS = Array.from({ length: 6 }, (_, n) => `00000000-0000-4000-8000-00000000000${n}`) as [string, ...string[]];

describe('The audit of SqliteJobStore', () => {
  let folder: string;
  let store: SqliteJobStore;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sqlite-'));
    store = new SqliteJobStore({ path: join(folder, 'jobs.db') });
    await store.open();
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
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  function claim(limit: number) {
    return store.claim({ worker: 'w', leaseMs: 60_000, limit, slots: new Map([['Mail', limit]]) });
  }

  function damage(sql: string): void {
    const raw = new Database(join(folder, 'jobs.db'));
    raw.exec(sql);
    raw.close();
  }

  it('finds nothing where all is well', async () => {
    expect(await store.audit()).toEqual([]);
  });

  it.each([
    [
      'UPDATE tally SET count = 9, bytes = 1 WHERE status = 0',
      'The tally of Mail, Queued, is 9 jobs with 1 bytes; there',
    ],
    ['DELETE FROM tally', 'The tally of Mail, Failed, is 0 jobs with 0 bytes; there are 1 with 0'],
    ['UPDATE job SET line = 2 WHERE status = 0', `Job ${IDS[3]} is not in the line of its status`],
    ['UPDATE job SET lease_until = NULL WHERE status = 2', `Job ${IDS[2]} has a claim although`],
    ["UPDATE job SET worker = 'w' WHERE status = 4", `Job ${IDS[0]} has a claim although`],
    ['UPDATE job SET expires_at = NULL', `Job ${IDS[0]} expires although`],
  ])('finds and repairs %s, and keeps every job', async (sql, deviation) => {
    damage(sql);
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

  it('drops what cannot be read only in a repair', async () => {
    damage(`UPDATE job SET attempts = '[{' WHERE id = '${IDS[1]}'`);
    expect(await store.audit()).toContain(`Job ${IDS[1]} cannot be read`);
    await store.audit({ repair: true });
    expect(await store.audit()).toEqual([]);
    expect((await store.find(IDS)).filter(Boolean)).toHaveLength(5);
  });

  it('lets the next sweep recover a job whose claim had no end', async () => {
    damage('UPDATE job SET lease_until = NULL WHERE status = 2');
    const sweep = { limit: 10, maxCrashes: 3 };
    expect(await store.recover(sweep)).toEqual([]);
    await store.audit({ repair: true });
    expect(await store.recover(sweep)).toMatchObject([{ job: { id: IDS[2], status: 'Queued' } }]);
  });
});
