import { createStore } from '../config/create-store.js';
import { readSettings } from '../config/read-settings.js';
import { SCHEMA_VERSION, schemaSql } from '../stores/postgres/migrate.js';

/**
 * Brings the schema in PostgreSQL to the version of this release, or prints the SQL that creates it.
 *
 * @throws AsyncEndpointsError `INVALID_OPTION`
 */
export async function migrate(isPrinted: boolean): Promise<void> {
  const url = isPrinted ? 'postgres://' : undefined; // to print, no database is needed
  const postgres = { url, migrate: true, connect: 'fail-fast' } as const;
  const settings = readSettings({}, { store: 'postgres', postgres });
  const schema = settings.postgres?.schema as string;
  if (isPrinted) return void process.stdout.write(schemaSql(schema));
  const store = await createStore(settings);
  await store?.open();
  await store?.close();
  process.stdout.write(`The schema ${schema} has version ${SCHEMA_VERSION} or a later one.\n`);
}
