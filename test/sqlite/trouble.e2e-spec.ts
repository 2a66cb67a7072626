import { spawnSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { chmodSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { SqliteJobStore } from 'nestjs-async-endpoints/sqlite';
import { aJob } from 'nestjs-async-endpoints/testing';
import Database from 'better-sqlite3';
import { temporaryFolder } from '../temporary-folder.js';

const LIMITS = { queueLimit: 1_000_000 };
const PAYLOAD = JSON.stringify({ request: 'x'.repeat(20_000) });
const NOTICES = 'asyncendpoints.store.notice';

/** The folder of a disk of one megabyte; null when this process may not mount one. */
function smallDisk(): string | null {
  const folder = temporaryFolder();
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
  if (status !== 0) return null;
  onTestFinished(() => void spawnSync('umount', [folder]));
  return folder;
}

async function opened(path: string, options: { busyTimeoutMs?: number } = {}) {
  const store = new SqliteJobStore({ path, ...options });
  const said: string[] = [];
  const listen = (notice: unknown) => void said.push((notice as { message: string }).message);
  subscribe(NOTICES, listen);
  await store.open();
  onTestFinished(async () => {
    unsubscribe(NOTICES, listen);
    await store.close();
  });
  return { store, said };
}

/** Submits until that is refused; the ids that were acknowledged, and the refusal. */
async function fill(store: SqliteJobStore): Promise<{ ids: string[]; refusal: unknown }> {
  const ids: string[] = [];
  for (;;) {
    const job = aJob({ payload: PAYLOAD });
    try {
      await store.submit([job], LIMITS);
      ids.push(job.id);
    } catch (refusal) {
      return { ids, refusal };
    }
  }
}

describe('The file of SqliteJobStore', () => {
  it('on a full disk refuses submissions with STORE_FULL, says so once, and goes on by itself when there is room', async (test) => {
    const folder = smallDisk();
    if (folder === null) return test.skip('nothing may be mounted here');
    const filler = join(folder, 'filler');
    writeFileSync(filler, Buffer.alloc(400_000));
    const { store, said } = await opened(join(folder, 'jobs.db'));
    const { ids, refusal } = await fill(store);
    expect(refusal).toMatchObject({ code: 'STORE_FULL' });
    expect(JSON.stringify(refusal)).not.toContain('xxx');
    expect((await store.find(ids)).every((job) => job?.status === 'Queued')).toBe(true);
    rmSync(filler);
    await store.submit([aJob({ payload: PAYLOAD })], LIMITS);
    expect(said).toEqual([
      expect.stringMatching(/^The database \S+jobs\.db has no room to grow, until this is mended: .*full/),
    ]);
    expect(await store.audit()).toEqual([]);
    const claims = await store.claim({ worker: 'w', leaseMs: 60_000, limit: 100, slots: new Map([['Work', 100]]) });
    expect(claims).toHaveLength(ids.length + 1);
  });

  it('that is read-only stops the boot with a reason, and holds its jobs afterwards', async (test) => {
    const isRoot = process.getuid?.() === 0;
    const folder = isRoot ? smallDisk() : temporaryFolder();
    if (folder === null) return test.skip('nothing may be mounted here');
    const path = join(folder, 'jobs.db');
    const first = new SqliteJobStore({ path });
    await first.open();
    await first.submit([aJob()], LIMITS);
    await first.close();
    const setWritable = (isWritable: boolean) => {
      if (isRoot) spawnSync('mount', ['-o', `remount,${isWritable ? 'rw' : 'ro'}`, folder]);
      else for (const one of [path, folder]) chmodSync(one, isWritable ? 0o700 : 0o500);
    };
    setWritable(false);
    await expect(new SqliteJobStore({ path }).open()).rejects.toMatchObject({
      code: expect.stringMatching(/^STORE_(READ_ONLY|UNAVAILABLE)$/) as string,
    });
    setWritable(true);
    const { store } = await opened(path);
    expect(await store.stats()).toMatchObject([{ status: 'Queued', count: 1 }]);
  });

  it('that another process locks stops the boot in time, with the reason', async () => {
    const path = join(temporaryFolder(), 'jobs.db');
    const raw = new Database(path);
    raw.exec('CREATE TABLE other (n); BEGIN EXCLUSIVE');
    const store = new SqliteJobStore({ path, busyTimeoutMs: 100 });
    await expect(store.open()).rejects.toThrow(`Other connections write to ${path} all the time.`);
    raw.exec('ROLLBACK');
    raw.close();
    await store.open();
    await store.close();
  });

  it('with damaged pages refuses calls with the advice to restore a backup, and the log says so', async () => {
    const path = join(temporaryFolder(), 'jobs.db');
    const { store: before } = await opened(path);
    await before.submit(
      Array.from({ length: 500 }, () => aJob()),
      LIMITS,
    );
    await before.close();
    const file = openSync(path, 'r+');
    for (let at = 4_096; at < statSync(path).size; at += 4_096) writeSync(file, Buffer.alloc(64, 0xff), 0, 64, at);
    const raw = new SqliteJobStore({ path });
    // What is damaged may be read at boot or by the first calls.
    const calls = async () => {
      await raw.open();
      await raw.submit([aJob()], LIMITS);
      await raw.list({}, { limit: 1_000 });
    };
    await expect(calls()).rejects.toThrow(`The database ${path} is damaged: restore a backup.`);
    await raw.close();
  });
});
