import { realpathSync } from 'node:fs';
import { AsyncEndpointsError, invalidOption } from '../../job/errors.js';
import { checkJobIds } from '../../job/job-id.js';
import type { NewJob } from '../../job/job.js';
import type { QueueLimits, Submission } from '../../store/job-store.js';
import type { Transaction } from '../../store/transaction.js';
import { type Database, translated } from './driver.js';
import { JobTable } from './job-table.js';
import type { readOptions } from './options.js';
import { prepareStatements, type Statements } from './statements.js';
import { submitJobs } from './submit.js';
import { whenFree } from './transactions.js';

interface Connection {
  readonly database: Database;
  readonly statements: Statements;
  readonly jobs: JobTable;
  /** Does nothing: waiting workers notice the commit when the file changes. */
  arrived(): void;
}

/**
 * Submissions on connections of the caller, in its transactions. Workers notice the commit like one of another process. A
 * connection that waits for a lock in SQLite would hold the event loop, so the wait is here.
 */
export class CallersTransactions {
  readonly #connections = new WeakMap<object, Connection>();

  constructor(private readonly options: ReturnType<typeof readOptions>) {}

  /**
   * Calls the driver before it first awaits, where the caller has given the connection itself.
   *
   * @throws AsyncEndpointsError `INVALID_OPTION`, else as {@link translated}
   */
  async submit(transaction: Transaction, jobs: readonly NewJob[], limits: QueueLimits): Promise<Submission[]> {
    checkJobIds(jobs);
    const { path, busyTimeoutMs, now } = this.options;
    const given = transaction.connection();
    const connection = this.#of(isDatabase(given) ? given : await given);
    let submissions: Submission[] = [];
    const submit = () => void (submissions = submitJobs(connection, jobs, limits, now()));
    try {
      await whenFree(busyTimeoutMs, () => withoutWaiting(connection.database, () => undoable(connection, submit)));
    } catch (error) {
      throw error instanceof AsyncEndpointsError ? error : translated(error, path);
    }
    return submissions;
  }

  #of(given: unknown): Connection {
    if (!isDatabase(given))
      throw invalidOption('within has no connection of better-sqlite3 or node:sqlite, as the jobs do.');
    const known = this.#connections.get(given);
    if (known) return known;
    checkFile(given, this.options.path);
    const statements = prepareStatements(given);
    for (const statement of Object.values(statements)) {
      statement.safeIntegers?.(false);
      statement.setReadBigInts?.(false);
    }
    const jobs = new JobTable(statements, this.options.agingMs, () => {});
    const connection = { database: given, statements, jobs, arrived: () => {} };
    this.#connections.set(given, connection);
    return connection;
  }
}

function isDatabase(given: unknown): given is Database {
  const { prepare, exec } = (given ?? {}) as Partial<Database>;
  return typeof prepare === 'function' && typeof exec === 'function';
}

function checkFile(database: Database, path: string): void {
  const databases = database.prepare('PRAGMA database_list').all() as { name: string; file: string }[];
  const file = databases.find(({ name }) => name === 'main')?.file ?? '';
  if (file === '' || realpathSync(file) !== realpathSync(path))
    throw invalidOption(`within is a transaction in ${file || 'a database in memory'}, but the jobs are in ${path}.`);
}

/** Submits all jobs or none. Its first statement takes the lock for writing, so that the following reads are current. */
function undoable({ database, statements, jobs }: Connection, submit: () => void): void {
  if (!isInTransaction(database)) throw invalidOption('within has no open transaction: it has ended, or never began.');
  database.exec('SAVEPOINT async_endpoints_submit');
  try {
    statements.takeLock.run();
    submit();
    jobs.tally.flush();
  } catch (error) {
    jobs.tally.discard();
    // SQLite has rolled back the transaction by itself after some errors, as when the disk is full.
    if (isInTransaction(database)) database.exec('ROLLBACK TO async_endpoints_submit; RELEASE async_endpoints_submit');
    throw error;
  }
  database.exec('RELEASE async_endpoints_submit');
}

function isInTransaction(database: Database): boolean {
  const known = database.inTransaction ?? database.isTransaction;
  if (known !== undefined) return known;
  try {
    database.exec('BEGIN');
  } catch {
    return true;
  }
  database.exec('ROLLBACK');
  return false;
}

function withoutWaiting(database: Database, work: () => void): void {
  const { timeout } = database.prepare('PRAGMA busy_timeout').get() as { timeout: number | bigint };
  database.exec('PRAGMA busy_timeout = 0');
  try {
    work();
  } finally {
    database.exec(`PRAGMA busy_timeout = ${timeout}`);
  }
}
