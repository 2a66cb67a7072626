import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';

const folders = new Set();

/**
 * A place for a database file of the benchmark's own.
 *
 * @param synchronous `FULL` or `NORMAL`
 */
export async function sqliteFile(synchronous) {
  const folder = await mkdtemp(join(tmpdir(), 'async-endpoints-bench-'));
  if (folders.size === 0) process.on('exit', removeFiles);
  folders.add(folder);
  const path = join(folder, 'jobs.db');
  return { port: `${synchronous} ${path}`, clear: () => clear(path), bytes: () => bytes(path) };
}

/** What `port` says: sides name what they connect to by one value. */
export function placeOf(port) {
  const [synchronous, ...path] = port.split(' ');
  return { synchronous, path: path.join(' ') };
}

export function removeFiles() {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

/** Deletes the rows of every side, and leaves the file as small as when it was new. */
function clear(path) {
  const database = new Database(path);
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
  for (const { name } of tables.all()) database.exec(`DELETE FROM ${name}`);
  database.exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
}

function bytes(path) {
  const database = new Database(path);
  const [pages, size] = ['page_count', 'page_size'].map((pragma) => database.pragma(pragma, { simple: true }));
  database.close();
  return pages * size;
}
