import type { ClientConfig, Pool, PoolConfig } from 'pg';
import { checkInteger } from '../../job/bounds.js';
import { AsyncEndpointsError } from '../../job/errors.js';
import { agingOf, type PriorityAging } from '../../store/fairness.js';

/** Where PostgreSQL is, and how the jobs are kept there. */
export interface PostgresJobStoreOptions extends PriorityAging {
  /** Such as `postgres://user:password@host:5432/database`. Without it, `pg` reads the variables `PGHOST`, `PGUSER` and so on. */
  url?: string | undefined;
  /**
   * Any options of `pg` for its pool, such as `ssl` and `max` (default 10). `user` and a `password` that is text win over the URL; of
   * other options that both state, the URL wins.
   */
  postgres?: PoolConfig | undefined;
  /** A pool of the application's own instead; it is shared, and not closed with the store. */
  pool?: Pool | undefined;
  /**
   * Where to listen, if not where the pool connects: behind PgBouncer in transaction mode `LISTEN` needs a direct connection.
   * Without one that works, the store polls, and says so.
   */
  listen?: string | ClientConfig | undefined;
  /** The schema that holds the tables, 1 to 50 characters: letters, digits and `_`. Default `async_endpoints`. */
  schema?: string | undefined;
  /**
   * Whether to create and migrate the schema at boot. False where the application may not: then `npx async-endpoints migrate` does it.
   * Default true.
   */
  migrate?: boolean | undefined;
  /**
   * Whether claims and progress wait until they are on disk, as everything else does. False: a crash of the server may undo the
   * claims of its last moments, and their jobs run again. Default true: what `synchronous_commit` of the server says.
   */
  synchronousClaims?: boolean | undefined;
  /**
   * What a boot does while PostgreSQL cannot be reached: `fail-fast` stops it, `degraded` goes on, answers 503 and recovers by
   * itself. Default `fail-fast`.
   */
  connect?: 'fail-fast' | 'degraded' | undefined;
  /** How long a call may take before it fails with `STORE_UNAVAILABLE`, in ms. Default 5000. */
  commandTimeoutMs?: number | undefined;
  /** The clock instead of the server's, in ms since the epoch: for tests. */
  now?: (() => number) | undefined;
}

export const SCHEMA = { pattern: /^[A-Za-z_]\w{0,49}$/, expected: '1 to 50 letters, digits and _, not a digit first' };
/** What it leaves out is read from `PGHOST` and so on: `postgres://` leaves out all. */
export const POSTGRES_URL = 'something like postgres://user@host:5432/database';
export const isPostgresUrl = (url: string): boolean => /^postgres(ql)?:\/\/\S*$/.test(url);
export const COMMAND_TIMEOUT_MS = [1, 3_600_000] as const;

export type PostgresSettings = ReturnType<typeof readOptions>;

/** @throws AsyncEndpointsError `INVALID_OPTION` */
export function readOptions(options: PostgresJobStoreOptions) {
  const { url, pool, postgres, listen, schema = 'async_endpoints', commandTimeoutMs = 5_000, now } = options;
  const { migrate = true, synchronousClaims = true, connect = 'fail-fast' } = options;
  checkInteger('commandTimeoutMs', commandTimeoutMs, ...COMMAND_TIMEOUT_MS);
  if (!SCHEMA.pattern.test(schema)) throw invalid('schema', schema, SCHEMA.expected);
  if (connect !== 'fail-fast' && connect !== 'degraded') throw invalid('connect', connect, 'fail-fast or degraded');
  if (pool && (url !== undefined || postgres)) throw invalid('pool', 'given', 'one of pool, and url with postgres');
  const at = (address: string) => ({ connectionString: withLogin(address, postgres) });
  const connection: PoolConfig = { ...postgres, ...(url !== undefined && at(url)) };
  const listening: ClientConfig =
    typeof listen === 'string' ? { ssl: postgres?.ssl, ...at(listen) } : (listen ?? pool?.options ?? connection);
  const agingMs = agingOf(options);
  return { pool, connection, listening, schema, migrate, synchronousClaims, connect, commandTimeoutMs, agingMs, now };
}

/** `pg` lets the URL win over options: as its parameters they win over its login. */
function withLogin(url: string, { user, password }: PoolConfig = {}): string {
  const [address = '', parameters] = url.split('?');
  const all = new URLSearchParams(parameters);
  for (const [name, text] of Object.entries({ user, password })) if (typeof text === 'string') all.set(name, text);
  return all.size === 0 ? url : `${address}?${all.toString()}`;
}

function invalid(option: string, value: unknown, expected: string): AsyncEndpointsError {
  return new AsyncEndpointsError('INVALID_OPTION', `${option} is ${JSON.stringify(value)}; expected ${expected}.`);
}
