// Submissions in transactions of node:sqlite, run by Node's own test runner: with a Node that Vitest's is not.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { it } from 'node:test';
import { SqliteJobStore } from '../../libs/async-endpoints/dist/stores/sqlite/index.js';
import { aJob } from '../../libs/async-endpoints/dist/testing/index.js';

const path = join(process.argv[2], 'within.db');
const LIMITS = { queueLimit: 10 };

void it('A job that is submitted in a transaction of node:sqlite exists if, and only if, it commits', async () => {
  const store = new SqliteJobStore({ path, driver: 'node:sqlite' });
  await store.open();
  const database = new DatabaseSync(path, { readBigInts: true });
  const within = { connection: () => database };
  const jobs = [aJob(), aJob(), aJob()];
  for (const [at, end] of ['COMMIT', 'ROLLBACK'].entries()) {
    database.exec('BEGIN IMMEDIATE');
    assert.equal((await store.submitWithin(within, [jobs[at]], LIMITS))[0].outcome, 'created');
    assert.deepEqual(await store.find([jobs[at].id]), [null]);
    database.exec(end);
  }
  await assert.rejects(store.submitWithin(within, [jobs[2]], LIMITS), { code: 'INVALID_OPTION' });
  const found = await store.find(jobs.map(({ id }) => id));
  assert.deepEqual(
    found.map((job) => job?.status),
    ['Queued', undefined, undefined],
  );
  database.exec('BEGIN');
  database.prepare('SELECT count(*) FROM job').get();
  await store.submit([jobs[1]], LIMITS);
  await assert.rejects(store.submitWithin(within, [jobs[2]], LIMITS), { message: /has read what was changed since/ });
  database.exec('ROLLBACK');
  database.close();
  await store.close();
});
