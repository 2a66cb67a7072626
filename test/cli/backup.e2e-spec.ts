import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SqliteJobStore } from 'nestjs-async-endpoints/sqlite';
import { aJob } from 'nestjs-async-endpoints/testing';
import Database from 'better-sqlite3';
import { temporaryFolder } from '../temporary-folder.js';
import { toolWith } from './tool.js';

const LIMITS = { queueLimit: 1_000_000 };

describe('npx async-endpoints backup', () => {
  let folder: string;
  let path: string;
  const files = () => ({ backup: join(folder, 'backup.db'), tool: toolWith({ SQLITE_PATH: path }) });

  beforeEach(() => {
    folder = temporaryFolder();
    path = join(folder, 'jobs.db');
  });

  async function opened(file: string): Promise<SqliteJobStore> {
    const store = new SqliteJobStore({ path: file });
    await store.open();
    onTestFinished(() => store.close());
    return store;
  }

  it('contains every acknowledged job, while another process continues to write', async () => {
    const store = await opened(path);
    const { backup, tool } = files();
    const before = Array.from({ length: 2_000 }, () => aJob());
    await store.submit(before, LIMITS);
    const ended = new AbortController();
    const running = tool('backup', backup).finally(() => ended.abort());
    let later = 0;
    while (!ended.signal.aborted) later += (await store.submit([aJob()], LIMITS)).length;
    const outcome = await running;
    expect(outcome).toMatchObject({ code: 0 });
    expect(later).toBeGreaterThan(0);

    const raw = new Database(backup);
    expect(raw.pragma('integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    raw.close();
    const restored = await opened(backup);
    const found = await restored.find(before.map(({ id }) => id));
    expect(found.filter((job) => job?.status === 'Queued')).toHaveLength(2_000);
    const [claim] = await restored.claim({ worker: 'w', leaseMs: 1_000, limit: 1, slots: new Map([['Work', 1]]) });
    expect(claim?.job.id).toBe(before[0]?.id);
  });

  it('overwrites no file, and creates no missing database', async () => {
    const { backup, tool } = files();
    expect(await tool('backup', backup)).toMatchObject({ code: 2, stderr: expect.stringContaining(path) as string });
    await opened(path);
    await writeFile(backup, 'the last backup');
    expect(await tool('backup', backup)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('exists') as string,
    });
  });

  it('names the variable that is missing', async () => {
    const outcome = await toolWith({}, folder)('backup', 'backup.db');
    expect(outcome).toMatchObject({ code: 2, stderr: expect.stringContaining('SQLITE_PATH') as string });
  });

  it('uses the database of --store', async () => {
    await opened(path);
    expect(await toolWith({}, folder)('backup', 'copy.db', '--store', 'sqlite:jobs.db')).toMatchObject({ code: 0 });
    expect(await (await opened(join(folder, 'copy.db'))).stats()).toEqual([]);
  });
});
