import type { ClientConfig, Pool, PoolConfig } from 'pg';
import { checkChoice, checkInteger, invalid } from '../../job/bounds.js';
import { agingOf, type PriorityAging } from '../../store/fairness.js';

/** The options of `PostgresJobStore`. */
export interface PostgresJobStoreOptions extends PriorityAging {
  /**
   * The connection string, such as `postgres://user:password@host:5432/database`. Without it, `pg` reads the variables `PGHOST`,
   * `PGUSER` and so on.
   */
  url?: string | undefined;
  /**
   * Any options of `pg` for its pool, such as `ssl` and `max` (default 10). `user` and a `password` that is a string override
   * those of the URL. Other options that are also in the URL are taken from the URL.
   */
  postgres?: PoolConfig | undefined;
  /** A pool of the application, instead of `url` and `postgres`. Closing the store does not close it. */
  pool?: Pool | undefined;
  /**
   * The connection for `LISTEN`, when it differs from the pool's: PgBouncer in transaction mode does not support `LISTEN`, so it
   * needs a direct connection. When notifications do not arrive, the store polls and logs a warning.
   */
  listen?: string | ClientConfig | undefined;
  /** The schema that holds the tables, 1 to 50 characters: letters, digits and `_`. Default `async_endpoints`. */
  schema?: string | undefined;
  /**
   * Whether to create and migrate the schema at boot. Set it to false when the application has no permission to do so, and run
   * `npx async-endpoints migrate` instead. Default true.
   */
  migrate?: boolean | undefined;
  /**
   * Whether claims and progress use the `synchronous_commit` setting of the server, as all other writes do. When false, they do
   * not wait for the disk: a crash of the server may undo the latest claims, and their jobs run again. Default true.
   */
  synchronousClaims?: boolean | undefined;
  /**
   * What to do when PostgreSQL cannot be reached at boot. `fail-fast` stops the boot. `degraded` continues, answers requests with
   * 503 and connects as soon as it can. Default `fail-fast`.
   */
  connect?: 'fail-fast' | 'degraded' | undefined;
  /** How long a call may take before it fails with `STORE_UNAVAILABLE`, in ms. Default 5000. */
  commandTimeoutMs?: number | undefined;
  /** Replaces the clock of the server, in ms since the epoch. For tests. */
  now?: (() => number) | undefined;
}

export const SCHEMA = { pattern: /^[A-Za-z_]\w{0,49}$/, expected: '1 to 50 letters, digits and _, not a digit first' };
/** Missing parts are read from `PGHOST` and so on; in `postgres://` all parts are missing. */
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
  checkChoice('connect', connect, ['fail-fast', 'degraded']);
  if (pool && (url !== undefined || postgres)) throw invalid('pool', 'given', 'one of pool, and url with postgres');
  const at = (address: string) => ({ connectionString: withLogin(address, postgres) });
  const connection: PoolConfig = { ...postgres, ...(url !== undefined && at(url)) };
  const listening: ClientConfig =
    typeof listen === 'string' ? { ssl: postgres?.ssl, ...at(listen) } : (listen ?? pool?.options ?? connection);
  const agingMs = agingOf(options);
  return { pool, connection, listening, schema, migrate, synchronousClaims, connect, commandTimeoutMs, agingMs, now };
}

/** `pg` prefers the URL to options. As parameters of the URL, user and password override its login. */
function withLogin(url: string, { user, password }: PoolConfig = {}): string {
  const [address = '', parameters] = url.split('?');
  const all = new URLSearchParams(parameters);
  for (const [name, text] of Object.entries({ user, password })) if (typeof text === 'string') all.set(name, text);
  return all.size === 0 ? url : `${address}?${all.toString()}`;
}
