import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { SqliteJobStore } from 'nestjs-async-endpoints/sqlite';
import { aJob, eventually } from 'nestjs-async-endpoints/testing';
import Database from 'better-sqlite3';
import { figure } from '../redis/system.js';
import { temporaryFolder } from '../temporary-folder.js';

const WRITER = new URL('writer.mjs', import.meta.url).pathname;
const SUBMITTER = new URL('submitter.mjs', import.meta.url).pathname;
const CONTRACT = new URL('contract.mjs', import.meta.url).pathname;
const WITHIN = new URL('within.mjs', import.meta.url).pathname;
/** As the compatibility tests do it. */
const { installNodes } = (await import(new URL('../../scripts/compat/node-versions.mjs', import.meta.url).href)) as {
  installNodes(folder: string, versions: number[]): Promise<Map<number, { bin: string }>>;
};
const run = promisify(execFile);
/** How often two writers are killed; `SQLITE_KILLS=50` is the long run. */
const KILLS = Number(process.env['SQLITE_KILLS'] ?? 5);
const LIMITS = { queueLimit: 1_000_000 };
const ALL = { worker: 'w', leaseMs: 60_000, limit: 1, slots: new Map([['Work', 1]]) };

async function opened(path: string, options: Partial<ConstructorParameters<typeof SqliteJobStore>[0]> = {}) {
  const store = new SqliteJobStore({ path, ...options });
  await store.open();
  onTestFinished(() => store.close());
  return store;
}

/** A process that writes until it is killed, and what it says. */
function aWriter(path: string, synchronous: string, flags: string[] = []): { child: ChildProcess; lines: string[] } {
  const child = spawn(process.execPath, [...flags, WRITER, path, synchronous], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => lines.push(line));
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, lines };
}

describe('SqliteJobStore', () => {
  it.each(['FULL', 'NORMAL'])(
    'loses no acknowledged job and damages nothing when two processes are killed repeatedly during writes (%s)',
    async (synchronous) => {
      const path = join(temporaryFolder(), 'jobs.db');
      const acknowledged = { submitted: new Set<string>(), completed: new Set<string>() };
      for (let round = 0; round < KILLS; round++) {
        const writers = [aWriter(path, synchronous), aWriter(path, synchronous)];
        const many = 20 + Math.random() * 200;
        await eventually(() => writers.every(({ lines }) => lines.length > many), 20_000);
        for (const { child } of writers) child.kill('SIGKILL');
        await Promise.all(writers.map(({ child }) => once(child, 'close')));
        for (const line of writers.flatMap(({ lines }) => lines)) {
          const [what, id] = line.split(' ') as ['submitted' | 'completed', string];
          acknowledged[what].add(id);
        }
      }
      const store = await opened(path);
      const statuses = async (ids: Set<string>) => (await store.find([...ids])).map((job) => job?.status ?? 'gone');
      expect(acknowledged.submitted.size).toBeGreaterThan(100);
      expect(new Set(await statuses(acknowledged.completed))).toEqual(new Set(['Completed']));
      expect(await statuses(acknowledged.submitted)).not.toContain('gone');
      await store.close();
      const raw = new Database(path);
      expect(raw.pragma('integrity_check')).toEqual([{ integrity_check: 'ok' }]);
      const counted = raw.prepare('SELECT name, status, count(*) AS count FROM job GROUP BY name, status').all();
      expect(raw.prepare('SELECT name, status, count FROM tally WHERE count > 0').all()).toEqual(counted);
      raw.close();
      await store.open();
      expect(await store.audit()).toEqual([]);
      const { submitted, completed } = acknowledged;
      figure(
        `SQLite, ${synchronous}: ${2 * KILLS} SIGKILLs in mid-write: ${submitted.size} submitted, ${completed.size} completed, 0 lost, file whole`,
      );
    },
    20_000 + 10_000 * KILLS,
  );

  it('wakes a worker of another process, and notifies it of revocations and subscribers of changes, without polling', async () => {
    const path = join(temporaryFolder(), 'jobs.db');
    const [one, other] = [await opened(path), await opened(path)]; // each has a connection of its own, as processes have
    const woken = one.waitForWork(['Work'], new AbortController().signal);
    const job = aJob();
    await other.submit([job], LIMITS);
    await woken;
    const revoked = new Promise((resolve) => void one.subscribe({ worker: 'w' }, resolve));
    const changed = new Promise((resolve) => void one.subscribe({ job: job.id }, resolve));
    await one.claim(ALL);
    expect(await changed).toMatchObject({ id: job.id, status: 'InProgress' });
    await other.cancel([job.id]);
    expect(await revoked).toMatchObject({ id: job.id, status: 'Canceled' });
  });

  it('wakes a worker for every commit of another process, also when the file changes before the commit is visible, and when a checkpoint looks like a commit', async () => {
    vi.useFakeTimers({ toFake: ['setInterval'] }); // without the poll, a missed commit is never noticed
    onTestFinished(() => void vi.useRealTimers());
    const path = join(temporaryFolder(), 'jobs.db');
    const store = await opened(path);
    const submitter = spawn(process.execPath, [SUBMITTER, path], { stdio: ['pipe', 'pipe', 'inherit'] });
    onTestFinished(() => void submitter.kill('SIGKILL'));
    await once(submitter.stdout, 'data');
    const raw = new Database(path, { timeout: 0 });
    onTestFinished(() => void raw.close());
    for (let n = 0; n < 100; n++) {
      const woken = store.waitForWork(['Work'], new AbortController().signal);
      submitter.stdin.write('submit\n');
      for (let checkpoints = n % 40; checkpoints > 0; checkpoints--) {
        try {
          raw.pragma('wal_checkpoint(TRUNCATE)');
        } catch {
          // another connection writes
        }
        await new Promise(setImmediate);
      }
      await woken;
      expect(await store.claim(ALL)).toHaveLength(1);
    }
  }, 120_000);

  it('goes on when the process may start no thread: SQLite then empties its log by itself', async () => {
    const path = join(temporaryFolder(), 'jobs.db');
    const model = process.allowedNodeEnvironmentFlags.has('--permission')
      ? '--permission'
      : '--experimental-permission';
    const flags = [model, '--allow-fs-read=*', '--allow-fs-write=*', '--allow-addons', '--no-warnings'];
    const { lines } = aWriter(path, 'NORMAL', flags);
    const logSize = () => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    await eventually(() => logSize() > 4 * 1024 * 1024, 40_000); // when a thread would be started
    const before = lines.length;
    await eventually(() => lines.length > before + 1_000, 10_000);
  });

  it('waits for another process that writes, and rejects when that takes too long, without losing a job', async () => {
    const path = join(temporaryFolder(), 'jobs.db');
    const store = await opened(path, { busyTimeoutMs: 100 });
    const raw = new Database(path);
    raw.exec('BEGIN IMMEDIATE');
    const job = aJob();
    await expect(store.submit([job], LIMITS)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    const waiting = store.submit([job], LIMITS);
    raw.exec('ROLLBACK');
    raw.close();
    expect(await waiting).toMatchObject([{ outcome: 'created' }]);
  });

  it('refuses at boot a file that is not a database, a missing folder, and a file of a newer release', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'text.db');
    await writeFile(path, 'This is a text, and long enough to have a header. '.repeat(10));
    const bootOf = (file: string) => new SqliteJobStore({ path: file }).open();
    await expect(bootOf(path)).rejects.toThrow(`${path} is no database.`);
    await expect(bootOf(join(folder, 'nowhere', 'jobs.db'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    const newer = join(folder, 'newer.db');
    const raw = new Database(newer);
    raw.pragma('user_version = 99');
    raw.close();
    await expect(bootOf(newer)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(() => new SqliteJobStore({ path: '' })).toThrow('path is ""; expected the path of a file.');
    expect(() => new SqliteJobStore({ path, synchronous: 'OFF' as 'FULL' })).toThrow('expected FULL or NORMAL');
  });

  it('is backed up while it is open, and restored, as described in docs/sqlite.md', async () => {
    const folder = temporaryFolder();
    const [path, backup] = [join(folder, 'jobs.db'), join(folder, 'backup.db')];
    const store = await opened(path);
    const [kept, later] = [aJob(), aJob()];
    await store.submit([kept], LIMITS);
    const raw = new Database(path);
    raw.exec(`VACUUM INTO '${backup}'`);
    raw.close();
    await store.submit([later], LIMITS);
    await store.close();
    for (const beside of [`${path}-wal`, `${path}-shm`]) await rm(beside, { force: true });
    await rename(backup, path);
    await store.open();
    expect((await store.find([kept.id, later.id])).map((job) => job?.status)).toEqual(['Queued', undefined]);
  });

  it('keeps the contract of a job store on node:sqlite of a newer Node, also in transactions of the caller', async (test) => {
    const folder = temporaryFolder();
    const nodes = await installNodes(folder, [24]).catch(() => null);
    if (!nodes)
      test.skip('Node 24 cannot be installed: the registry of npm is unreachable, or has none for this system');
    const node = join(nodes?.get(24)?.bin ?? '', 'node');
    for (const [tests, passed] of [
      [CONTRACT, /^# pass 1\d\d$/m],
      [WITHIN, /^# pass 1$/m],
    ] as const) {
      const { stdout } = await run(node, ['--no-warnings', '--test-reporter=tap', tests, folder]);
      expect(stdout).toMatch(passed);
      expect(stdout).toMatch(/^# fail 0$/m);
    }
  }, 300_000);

  it('writes only its file and two helper files beside it', async () => {
    const folder = join(temporaryFolder(), 'data');
    await mkdir(folder);
    const store = await opened(join(folder, 'jobs.db'));
    await store.submit([aJob()], LIMITS);
    expect((await readdir(folder)).toSorted()).toEqual(['jobs.db', 'jobs.db-shm', 'jobs.db-wal']);
    await store.close();
    expect(await readdir(folder)).toEqual(['jobs.db']);
    await store.open();
    expect(await store.stats()).toMatchObject([{ name: 'Work', status: 'Queued', count: 1 }]);
  });
});
