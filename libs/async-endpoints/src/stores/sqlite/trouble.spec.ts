import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { aJob, eventually } from '../../testing/index.js';
import { SqliteJobStore } from './sqlite-job-store.js';
import { Trouble } from './trouble.js';

const LIMITS = { queueLimit: 1_000_000 };

async function opened(path: string): Promise<SqliteJobStore> {
  const store = new SqliteJobStore({ path });
  await store.open();
  onTestFinished(() => store.close());
  return store;
}

describe('SqliteJobStore after errors', () => {
  let path: string;

  beforeEach(() => {
    const folder = mkdtempSync(join(tmpdir(), 'sqlite-'));
    path = join(folder, 'jobs.db');
    return () => rmSync(folder, { recursive: true });
  });

  it('notifies a worker of a revocation by another process after a rollback of its own', async () => {
    const [store, other] = [await opened(path), await opened(path)];
    const [one, two] = [aJob(), aJob()] as const;
    await store.submit([one, two], LIMITS);
    await store.claim({ worker: 'w', leaseMs: 60_000, limit: 2, slots: new Map([['Work', 2]]) });
    const told: string[] = [];
    await store.subscribe({ worker: 'w' }, ({ id }) => void told.push(id));
    const notAnId = {} as unknown as string; // no value that SQLite takes: the transaction ends after its first revocation
    await expect(store.cancel([one.id, notAnId])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await other.cancel([two.id]);
    await eventually(() => told.length > 0, 5_000);
    expect(told).toEqual([two.id]);
  });

  it('wakes the waiters, instead of ending the process, when a timer cannot read the file', async () => {
    const store = await opened(path);
    const woken = store.waitForWork(['Work'], new AbortController().signal);
    const raw = new Database(path);
    raw.exec('DROP TABLE paused');
    raw.close();
    await woken;
    const request = { worker: 'w', leaseMs: 60_000, limit: 1, slots: new Map([['Work', 1]]) };
    await expect(store.claim(request)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('lets timers run between the parts of a large turn', async () => {
    const store = await opened(path);
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await Promise.all(Array.from({ length: 5_000 }, () => store.submit([aJob()], LIMITS)));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
    expect(await store.stats()).toMatchObject([{ name: 'Work', status: 'Queued', count: 5_000 }]);
  });

  it('refuses to open a file of a newer release, with the version of its schema', async () => {
    const raw = new Database(path);
    raw.pragma('user_version = 99');
    raw.close();
    await expect(new SqliteJobStore({ path }).open()).rejects.toThrow('version 99 of the schema; this release knows 5');
  });
});

describe('The log of a full or locked file', () => {
  it('says once that it cannot be written, and that it can when nothing has failed for 10 s', () => {
    const said: string[] = [];
    let now = 0;
    const trouble = new Trouble(
      'jobs.db',
      (message) => said.push(message),
      () => now,
    );
    const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
    expect(trouble.errorOf(full)).toMatchObject({ code: 'STORE_FULL' });
    now = 9_000;
    trouble.over();
    trouble.errorOf(full);
    now = 18_000;
    trouble.over();
    expect(said).toEqual(['The database jobs.db has no room to grow, until this is mended: database or disk is full']);
    now = 19_000;
    trouble.over();
    trouble.over();
    expect(said.slice(1)).toEqual(['The database jobs.db accepts changes again']);
  });

  it('says nothing of an error that is not of the file', () => {
    const said: string[] = [];
    const trouble = new Trouble('jobs.db', (message) => said.push(message));
    expect(trouble.errorOf(new TypeError('no value'))).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect([said, trouble.isPresent]).toEqual([[], false]);
  });
});
