import { createStore } from '../config/create-store.js';
import { readSettings } from '../config/read-settings.js';
import { SCHEMA_VERSION, schemaSql } from '../stores/postgres/migrate.js';
import { driversOf } from './connect.js';
import { requirePackages } from './packages.js';
import { print } from './print.js';
import { settingsOf, type StoreFlags } from './settings.js';

/**
 * Brings the schema of a database to the version of this release, or prints the SQL that creates it in PostgreSQL.
 *
 * @throws AsyncEndpointsError `INVALID_OPTION`
 */
export async function migrate(flags: StoreFlags, isPrinted: boolean): Promise<void> {
  if (isPrinted) return printSchema();
  const settings = settingsOf(flags, 'postgres');
  if (settings.store === 'redis') return print('Redis has no schema: there is nothing to migrate.');
  requirePackages(...driversOf(settings));
  const store = await createStore({ ...settings, postgres: { ...settings.postgres, migrate: true } });
  await store?.open();
  await store?.close();
  if (settings.store === 'sqlite') print(`The database ${settings.sqlite?.path} has the schema of this release.`);
  else print(`The schema ${settings.postgres?.schema} has version ${SCHEMA_VERSION} or a later one.`);
}

/** Needs no database. */
function printSchema(): void {
  const { postgres } = readSettings({}, { store: 'postgres', postgres: { url: 'postgres://' } });
  process.stdout.write(schemaSql(postgres?.schema as string));
}
