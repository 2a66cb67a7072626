import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, isBusy, openDatabase, translated } from './driver.js';

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('It did not throw.');
}

describe('An error of SQLite', () => {
  let folder: string;
  let path: string;
  let database: Database;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sqlite-'));
    path = join(folder, 'some.db');
    database = await openDatabase(path, undefined);
    database.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (text TEXT)');
  });
  afterEach(() => {
    database.close();
    rmSync(folder, { recursive: true });
  });

  const insert = () => database.prepare('INSERT INTO t VALUES (?)').run('secret '.repeat(10_000));

  it('is STORE_FULL when the database cannot grow, and does not quote the values', () => {
    database.exec('PRAGMA max_page_count = 3');
    const error = translated(thrownBy(insert), path);
    expect(error.code).toBe('STORE_FULL');
    expect(JSON.stringify([error.message, error.cause, (error.cause as Error).message])).not.toContain('secret');
  });

  it('is STORE_READ_ONLY when the file is read-only', () => {
    database.exec('PRAGMA query_only = 1');
    expect(translated(thrownBy(insert), path).code).toBe('STORE_READ_ONLY');
  });

  it('does not occur while another connection writes', async () => {
    const other = await openDatabase(path, undefined);
    other.exec('BEGIN IMMEDIATE');
    const busy = thrownBy(() => database.exec('BEGIN IMMEDIATE'));
    expect(isBusy(busy)).toBe(true);
    expect(isBusy(thrownBy(() => database.exec('SELECT nonsense')))).toBe(false);
    expect(translated(busy, path)).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    other.close();
  });

  it('is INVALID_OPTION when there is no driver', async () => {
    if (process.versions.node.startsWith('20.')) {
      await expect(openDatabase(path, 'node:sqlite')).rejects.toThrow(
        'needs Node 22.13, or the package better-sqlite3',
      );
    }
  });
});
