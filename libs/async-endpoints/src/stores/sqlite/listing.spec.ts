import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { aJob } from '../../testing/index.js';
import { MIGRATIONS, migrate } from './schema.js';
import { insertedValues } from './rows.js';
import { SqliteJobStore } from './sqlite-job-store.js';
import { SQL } from './statements.js';
import { submit } from '../../job/lifecycle.js';

describe('The list of a SqliteJobStore', () => {
  let path: string;

  beforeEach(() => {
    const folder = mkdtempSync(join(tmpdir(), 'sqlite-'));
    path = join(folder, 'jobs.db');
    return () => rmSync(folder, { recursive: true });
  });

  it.each([
    ['list', 'job_listed (name=? AND status=? AND entered_at<?)'],
    ['listOwned', 'job_owner (owner=? AND name=? AND status=? AND entered_at<?)'],
    ['listFailing', 'job_error (error_code=? AND name=? AND status=? AND entered_at<?)'],
    ['listOwnedFailing', 'job_owner_error (owner=? AND error_code=? AND name=? AND status=? AND entered_at<?)'],
  ] as const)('searches one index and sorts nothing: %s', (statement, index) => {
    const database = new Database(path);
    migrate(database);
    const values = SQL[statement].match(/\?/g)?.map(() => 1) ?? [];
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${SQL[statement]}`).all(...values);
    database.close();
    expect(plan).toMatchObject([{ detail: expect.stringMatching(/^SEARCH /) as string }]);
    expect(plan).toMatchObject([{ detail: expect.stringContaining(index) as string }]);
  });

  it('reads only the records that it returns', async () => {
    const store = new SqliteJobStore({ path });
    await store.open();
    const jobs = Array.from({ length: 300 }, (_, n) => aJob({ name: `Name${n % 3}`, owner: n < 30 ? 'ann' : 'bob' }));
    await store.submit(jobs, { queueLimit: 1_000 });
    const raw = new Database(path);
    const unreadable = raw.prepare("UPDATE job SET progress = '{' WHERE owner = 'bob'").run();
    raw.close();
    expect(unreadable.changes).toBe(270);
    const { jobs: listed } = await store.list({ owner: 'ann' }, { limit: 100 });
    await expect(store.list({ owner: 'bob' }, { limit: 100 })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await store.close();
    expect(listed.map(({ id }) => id)).toEqual(
      jobs
        .slice(0, 30)
        .map(({ id }) => id)
        .toReversed(),
    );
  });

  it('reads none of the other jobs of an owner for a filter by owner and error code', async () => {
    const store = new SqliteJobStore({ path });
    await store.open();
    const jobs = Array.from({ length: 1_200 }, () => aJob({ owner: 'ann' }));
    await store.submit(jobs, { queueLimit: 2_000 });
    const raw = new Database(path);
    const fail = raw.prepare('UPDATE job SET error = ?, progress = ? WHERE id = ?');
    for (const [n, { id }] of jobs.entries()) {
      if (n === 0) fail.run('{"code":"RARE","message":"no"}', null, id);
      else fail.run(n % 2 ? '{"code":"DOWN","message":"no"}' : null, '{', id); // unreadable
    }
    raw.close();
    const page = await store.list({ owner: 'ann', errorCode: 'RARE' }, { limit: 1 });
    const none = await store.list({ owner: 'bob', errorCode: 'RARE' }, { limit: 1 });
    await store.close();
    expect([page.jobs.map(({ id }) => id), page.cursor, none.jobs]).toEqual([[jobs[0]?.id], null, []]);
  });

  it('finds the jobs of a file with version 1 of the schema', async () => {
    const raw = new Database(path);
    raw.exec(`${MIGRATIONS[0]} PRAGMA user_version = 1`);
    const [old, other] = [aJob({ owner: 'ann' }), aJob()] as const;
    for (const job of [old, other]) {
      raw.prepare(SQL.insert).run(...insertedValues(submit(job, 1_000), job.payload, 100));
      raw.prepare(SQL.count).run('Work', 0, 1, 100);
    }
    raw.prepare('UPDATE job SET error = ? WHERE id = ?').run('{"code":"DOWN","message":"no"}', other.id);
    raw.close();
    const store = new SqliteJobStore({ path });
    await store.open();
    const listed = async (filter: object) => (await store.list(filter, { limit: 10 })).jobs.map(({ id }) => id);
    const found = [await listed({}), await listed({ owner: 'ann' }), await listed({ errorCode: 'DOWN' })];
    const both = await listed({ owner: 'ann', errorCode: 'DOWN' });
    await store.close();
    expect([...found, both]).toEqual([[other.id, old.id], [old.id], [other.id], []]);
  });

  it('ends a page early when results are large', async () => {
    const store = new SqliteJobStore({ path });
    await store.open();
    const jobs = Array.from({ length: 8 }, () => aJob());
    await store.submit(jobs, { queueLimit: 100 });
    const claims = await store.claim({ worker: 'w', leaseMs: 60_000, limit: 8, slots: new Map([['Work', 8]]) });
    const result = JSON.stringify('x'.repeat(1_000_000));
    await store.settle(claims.map(({ job, fence }) => ({ id: job.id, name: 'Work', fence, verb: 'complete', result })));
    const first = await store.list({}, { limit: 100 });
    const second = await store.list({}, { limit: 100, cursor: first.cursor ?? '' });
    await store.close();
    expect([first.jobs.length, second.jobs.length, second.cursor]).toEqual([5, 3, null]);
  });
});
