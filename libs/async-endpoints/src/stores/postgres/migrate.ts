import type { ClientBase } from 'pg';
import { invalidOption } from '../../job/errors.js';
import { CLAIM } from './functions/claim.sql.js';
import { LIST } from './functions/list.sql.js';
import { LOOK } from './functions/look.sql.js';
import { NOTIFY } from './functions/notify.sql.js';
import { REVOKE } from './functions/revoke.sql.js';
import { FIRING, SCHEDULES } from './functions/schedules.sql.js';
import { SETTLE } from './functions/settle.sql.js';
import { SHARED } from './functions/shared.sql.js';
import { NEW_JOB, SUBMIT } from './functions/submit.sql.js';
import { SWEEP } from './functions/sweep.sql.js';
import { TABLES, VIEWS } from './schema.js';

const FUNCTIONS = [
  ...SHARED,
  ...NOTIFY,
  ...SUBMIT,
  ...CLAIM,
  ...SETTLE,
  ...REVOKE,
  ...SWEEP,
  ...LOOK,
  ...LIST,
  ...SCHEDULES,
];

/**
 * The migrations, in order, numbered from 1. A released migration never changes. A later one may add tables, columns with
 * defaults and functions with new names, so that the previous release keeps working. It may replace a function when its
 * parameters and result stay the same. `docs/postgres.md` states what releases may assume of each other.
 */
const MIGRATIONS: readonly string[] = [[TABLES, VIEWS, NEW_JOB, FIRING, ...FUNCTIONS].join('\n')];

/** The version of the schema that this release works with. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** The SQL that creates the schema in one transaction, for applications without the permission to create it. */
export function schemaSql(schema: string): string {
  return `BEGIN;\n${migrations(schema, 0)}\nCOMMIT;\n`;
}

function migrations(schema: string, from: number): string {
  const missing = MIGRATIONS.slice(from).map(
    (sql, at) => `${sql}\nINSERT INTO migration (version) VALUES (${from + at + 1});`,
  );
  return `CREATE SCHEMA IF NOT EXISTS "${schema}";
SET LOCAL search_path TO "${schema}", pg_temp;
CREATE TABLE IF NOT EXISTS migration (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
${missing.join('\n')}`;
}

/**
 * The version of the schema in the database; 0 when there is no schema. It reads the catalog tables, because `to_regclass` uses a
 * cache, which may not have a schema that another process committed while this one waited for the lock.
 */
export async function schemaVersion(client: ClientBase, schema: string): Promise<number> {
  const present = "SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = 'migration'";
  if ((await client.query(present, [schema])).rowCount === 0) return 0;
  const versions = await client.query<{ version: number | null }>(
    `SELECT max(version) AS version FROM "${schema}".migration`,
  );
  return versions.rows[0]?.version ?? 0;
}

/**
 * Migrates the schema to the version of this release, unless it has this version or a later one.
 *
 * @throws AsyncEndpointsError `INVALID_OPTION` when it is older and `mayMigrate` is false
 */
export async function migrate(client: ClientBase, schema: string, mayMigrate: boolean): Promise<void> {
  const version = await schemaVersion(client, schema);
  if (version >= SCHEMA_VERSION) return;
  if (!mayMigrate) {
    const expected = `expected ${SCHEMA_VERSION}: run npx async-endpoints migrate`;
    throw invalidOption(`The version of the schema ${schema} is ${version}; ${expected}.`);
  }
  try {
    await client.query('BEGIN; SET LOCAL statement_timeout = 0');
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`${schema}.migrate`]);
    const present = await schemaVersion(client, schema); // another process may have migrated it meanwhile
    if (present < SCHEMA_VERSION) await client.query(migrations(schema, present));
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}
