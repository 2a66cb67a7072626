// The contract of a job store for SqliteJobStore on node:sqlite, run by Node's own test runner: with a Node that Vitest's is not.
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { SqliteJobStore } from '../../libs/async-endpoints/dist/stores/sqlite/index.js';
import { describeJobStore } from '../../libs/async-endpoints/dist/testing/contract/index.js';

const [, , folder] = process.argv;

async function create() {
  let now = 1_000_000;
  const path = join(await mkdtemp(join(folder, 'jobs-')), 'jobs.db');
  const store = new SqliteJobStore({ path, driver: 'node:sqlite', synchronous: 'NORMAL', now: () => now });
  await store.open();
  return { store, advance: (ms) => void (now += ms), dispose: () => store.close() };
}

const framework = {
  describe: (title, tests) => void describe(title, tests),
  it: (title, test) => void it(title, test),
  beforeEach,
  afterEach,
};
describeJobStore('SqliteJobStore on node:sqlite', create, framework);
