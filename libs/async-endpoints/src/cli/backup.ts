import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { SqliteJobStoreOptions } from '../stores/sqlite/options.js';
import { say, UsageError } from './exit.js';
import { requirePackages } from './packages.js';

export function addBackup(program: Command): void {
  program
    .command('backup')
    .description('copy the database of SqliteJobStore to a new file, while the application runs')
    .argument('<file>', 'name of the new file')
    .option('--sqlite-path <path>', 'path of the database (default: SQLITE_PATH)')
    .action((file: string, { sqlitePath }: { sqlitePath?: string }) => backup(file, sqlitePath));
}

/** @throws UsageError when there is no such database, or the target is there already */
async function backup(target: string, path: string | undefined): Promise<void> {
  requirePackages('class-validator');
  const { readSettings } = await import('../config/read-settings.js');
  const { readOptions } = await import('../stores/sqlite/options.js');
  const { copyDatabase } = await import('./copy-database.js');
  const { sqlite } = readSettings({}, { store: 'sqlite', sqlite: { path } });
  const options = readOptions(sqlite as SqliteJobStoreOptions);
  if (!existsSync(options.path))
    throw new UsageError(`There is no file ${options.path}: give --sqlite-path or SQLITE_PATH.`);
  if (existsSync(target)) throw new UsageError(`${target} exists: give the name of a new file.`);
  await copyDatabase(options, target);
  say(`${target} has the jobs of ${options.path}`);
}
