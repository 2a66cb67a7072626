import { AsyncEndpointsError, invalidOption } from '../../job/errors.js';
import { unavailable } from '../../store/unavailable.js';

export type Value = string | number | null;
export type Row = Record<string, Value>;

/** The interface that both drivers share. */
export interface Statement {
  /** Of better-sqlite3 and of `node:sqlite`: whether numbers are read as BigInt, where the connection says so. */
  safeIntegers?(on: boolean): unknown;
  setReadBigInts?(on: boolean): unknown;
  run(...values: Value[]): { readonly changes: number | bigint };
  get(...values: Value[]): unknown;
  all(...values: Value[]): unknown[];
}

export interface Database {
  /** Whether a transaction is open: of better-sqlite3, and of `node:sqlite` since Node 22.16. */
  readonly inTransaction?: boolean;
  readonly isTransaction?: boolean;
  prepare(sql: string): Statement;
  exec(sql: string): unknown;
  close(): unknown;
}

type DriverName = 'node:sqlite' | 'better-sqlite3';
type Constructor = new (path: string, options: { timeout: number }) => Database;

/** The driver must not wait for a lock, because that would block the event loop. */
const OPTIONS = { timeout: 0 };

/** @throws AsyncEndpointsError `INVALID_OPTION` when there is no driver; otherwise as {@link translated} */
export async function openDatabase(path: string, driver: DriverName | undefined): Promise<Database> {
  const Driver = await constructorOf(driver ?? (hasNodeSqlite() ? 'node:sqlite' : 'better-sqlite3'));
  try {
    return new Driver(path, OPTIONS);
  } catch (error) {
    throw isOfDatabase(error) ? translated(error, path) : cannotOpen(error, path); // better-sqlite3 has no code for a missing folder
  }
}

/** Whether `node:sqlite` works without a flag. Earlier releases of Node 22 need one. */
function hasNodeSqlite(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 13);
}

/** Whether a driver can be loaded. */
export async function isAvailable(): Promise<boolean> {
  return openDatabase(':memory:', undefined).then(
    (database) => database.close() !== null,
    () => false,
  );
}

async function constructorOf(name: DriverName): Promise<Constructor> {
  try {
    if (name === 'better-sqlite3') return (await import('better-sqlite3')).default;
    const sqlite: string = 'node:sqlite'; // the types of Node 20 do not have it
    return ((await import(sqlite)) as { DatabaseSync: Constructor }).DatabaseSync;
  } catch (cause) {
    const needed = 'SqliteJobStore needs Node 22.13, or the package better-sqlite3 (version 12 on Node 20)';
    throw invalidOption(`${needed}: ${name} cannot be loaded.`, { cause });
  }
}

/** SQLite's primary result codes. */
const BUSY = 5;
const LOCKED = 6;
const READ_ONLY = 8;
const IO_ERROR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const NOT_A_DATABASE = 26;

const CODES: Record<string, number> = {
  BUSY,
  LOCKED,
  READONLY: READ_ONLY,
  IOERR: IO_ERROR,
  CORRUPT,
  FULL,
  CANTOPEN: CANNOT_OPEN,
  NOTADB: NOT_A_DATABASE,
};

/** The primary result code, which `node:sqlite` gives as a number and better-sqlite3 as a name. */
function resultCode(error: unknown): number | undefined {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  if (typeof errcode === 'number') return errcode & 0xff;
  return typeof code === 'string' ? CODES[/^SQLITE_([A-Z]+)/.exec(code)?.[1] ?? ''] : undefined;
}

/** Whether the error means that another connection is writing. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return (code === BUSY || code === LOCKED) && !isOutdated(error);
}

/** Whether the file or its disk is at fault, and not what was called with. */
export function isOfDatabase(error: unknown): boolean {
  return Object.values(CODES).includes(resultCode(error) ?? -1);
}

/** Whether another connection has changed what the transaction has read (`SQLITE_BUSY_SNAPSHOT`). Waiting does not help. */
function isOutdated(error: unknown): boolean {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return code === 'SQLITE_BUSY_SNAPSHOT' || errcode === 517;
}

function cannotOpen(error: unknown, path: string): AsyncEndpointsError {
  return unavailable(error, `The database ${path} cannot be opened or made: look at its folder and its rights.`);
}

const OUTDATED = 'The transaction has read what was changed since: begin it with BEGIN IMMEDIATE, or repeat it.';

/** Translates an error of the driver to `STORE_FULL`, `STORE_READ_ONLY` or `STORE_UNAVAILABLE`. */
export function translated(error: unknown, path: string): AsyncEndpointsError {
  switch (resultCode(error)) {
    case FULL:
      return new AsyncEndpointsError('STORE_FULL', undefined, { cause: unavailable(error).cause });
    case READ_ONLY:
      return new AsyncEndpointsError('STORE_READ_ONLY', undefined, { cause: unavailable(error).cause });
    case BUSY:
    case LOCKED:
      if (isOutdated(error)) return unavailable(error, OUTDATED);
      return unavailable(error, `Other connections write to ${path} all the time.`);
    case CORRUPT:
      return unavailable(error, `The database ${path} is damaged: restore a backup.`);
    case CANNOT_OPEN:
      return cannotOpen(error, path);
    case NOT_A_DATABASE:
      return unavailable(error, `${path} is no database.`);
    default:
      return unavailable(error);
  }
}
