import { existsSync } from 'node:fs';
import type { SqliteJobStoreOptions } from '../stores/sqlite/options.js';
import { readOptions } from '../stores/sqlite/options.js';
import { copyDatabase } from './copy-database.js';
import { say, UsageError } from './exit.js';
import { requireFile, settingsOf, type StoreFlags } from './settings.js';

/** @throws UsageError when the store is not SQLite, there is no such database, or the target is there already */
export async function backup(flags: StoreFlags, target: string): Promise<void> {
  const settings = settingsOf(flags, 'sqlite');
  if (settings.store !== 'sqlite') {
    const others = 'Redis is backed up by its snapshots, PostgreSQL by pg_dump: see docs/backup.md.';
    throw new UsageError(`This command copies a database of SQLite. ${others}`);
  }
  requireFile(settings);
  if (existsSync(target)) throw new UsageError(`${target} exists: give the name of a new file.`);
  const options = readOptions(settings.sqlite as SqliteJobStoreOptions);
  await copyDatabase(options, target);
  say(`${target} contains the jobs of ${options.path}`);
}
