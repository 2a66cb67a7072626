import { checkChoice, checkInteger, invalid } from '../../job/bounds.js';
import { agingOf, type PriorityAging } from '../../store/fairness.js';

export interface SqliteJobStoreOptions extends PriorityAging {
  /**
   * The path of the database file. The file is created if needed; its folder must exist. SQLite keeps two more files beside it.
   */
  path: string;
  /**
   * How durable a commit is. With `FULL` it survives a power loss. With `NORMAL` it survives a crash of the process, but a power
   * loss may undo the latest commits. Default `FULL`.
   */
  synchronous?: 'FULL' | 'NORMAL' | undefined;
  /**
   * The driver: `node:sqlite` of Node 22.13 and newer, or the package `better-sqlite3`. Default: the first of them that is
   * available.
   */
  driver?: 'node:sqlite' | 'better-sqlite3' | undefined;
  /** How long a call waits for other processes that write, in ms. After that it fails with `STORE_UNAVAILABLE`. Default 5000. */
  busyTimeoutMs?: number | undefined;
  /** The store's clock, in ms since the epoch. Default: the clock of the machine, corrected so that it never goes back. */
  now?: (() => number) | undefined;
}

export const SYNCHRONOUS = ['FULL', 'NORMAL'] as const;
export const BUSY_TIMEOUT_MS = [1, 3_600_000] as const;

/** @throws AsyncEndpointsError `INVALID_OPTION` */
export function readOptions(options: SqliteJobStoreOptions) {
  const { path, synchronous = 'FULL', driver, busyTimeoutMs = 5_000, now = Date.now } = options;
  if (typeof path !== 'string' || path === '') throw invalid('path', path, 'the path of a file');
  checkChoice('synchronous', synchronous, SYNCHRONOUS);
  if (driver !== undefined) checkChoice('driver', driver, ['node:sqlite', 'better-sqlite3']);
  checkInteger('busyTimeoutMs', busyTimeoutMs, ...BUSY_TIMEOUT_MS);
  let last = -Infinity;
  const clock = () => (last = Math.max(last, Math.floor(now())));
  return { path, synchronous, driver, busyTimeoutMs, now: clock, agingMs: agingOf(options) };
}
