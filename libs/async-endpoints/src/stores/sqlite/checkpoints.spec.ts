import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../testing/gate.js';
import { aJob } from '../../testing/a-job.js';
import { Checkpoints } from './checkpoints.js';
import { openDatabase } from './driver.js';
import { SqliteJobStore } from './sqlite-job-store.js';

const LARGE = 4 * 1024 * 1024;

describe('The log of SqliteJobStore', () => {
  let folder: string;
  let path: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sqlite-'));
    path = join(folder, 'jobs.db');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const logSize = () => statSync(`${path}-wal`).size;

  it('is emptied while jobs go on to be submitted, and none is lost', async () => {
    const store = new SqliteJobStore({ path, synchronous: 'NORMAL' });
    await store.open();
    onTestFinished(() => store.close());
    const payload = JSON.stringify({ request: 'x'.repeat(50_000) });
    let submitted = 0;
    let emptied = 0;
    // SQLite itself never shortens the log of an open database.
    for (let last = 0; emptied < 2 && last < 10 * LARGE; submitted++) {
      await store.submit([aJob({ payload })], { queueLimit: 1_000_000 });
      const size = logSize();
      if (size < last && last >= LARGE) emptied++;
      last = size;
    }
    expect(emptied).toBe(2);
    expect(await store.stats()).toMatchObject([{ status: 'Queued', count: submitted }]);
    expect(await store.audit()).toEqual([]);
  }, 60_000);

  it('is left to SQLite when the thread cannot open the file', async () => {
    const database = await openDatabase(path, undefined);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (text TEXT)');
    const insert = database.prepare('INSERT INTO t VALUES (?)');
    const nowhere = join(folder, 'nowhere', 'jobs.db');
    // It looks at the size of the right log, and opens the wrong file.
    const checkpoints = new Checkpoints(database, nowhere, `${path}-wal`);
    const automatic = () =>
      (database.prepare('PRAGMA wal_autocheckpoint').get() as Record<string, number>)['wal_autocheckpoint'];
    for (let commits = 0; commits < 64; commits++) {
      insert.run('x'.repeat(100_000));
      checkpoints.committed();
    }
    await eventually(() => automatic() === 1_000);
    checkpoints.committed();
    await checkpoints.close();
    await checkpoints.close(); // the thread has ended
    database.close();
  });
});
