import type { JobRecord } from '../../job/job.js';
import { notOpen } from '../../store/lifetime.js';
import { NO_SILENCE, noteSweep, type Silence } from '../../store/sweeps.js';
import type { JobChange, SweepRhythm } from '../../store/verbs.js';
import { WorkSignal } from '../../store/work-signal.js';
import { Changes } from './changes.js';
import { Checkpoints } from './checkpoints.js';
import { type Database, openDatabase, translated } from './driver.js';
import { JobTable } from './job-table.js';
import type { readOptions } from './options.js';
import { codeOf } from './rows.js';
import { migrate } from './schema.js';
import { prepareStatements, type Statements } from './statements.js';
import { encodeText } from '../sql/text.js';
import { Transactions, whenFree } from './transactions.js';
import { Trouble } from './trouble.js';

type Options = ReturnType<typeof readOptions>;

/** The parts of an open store: the connection and the objects that use it. */
export class OpenDatabase {
  readonly jobs: JobTable;
  readonly work: WorkSignal;
  readonly changes: Changes;
  readonly afterwards: (action: () => void) => void;
  readonly #transactions: Transactions;
  readonly #checkpoints: Checkpoints;
  readonly #trouble: Trouble;

  /** @throws AsyncEndpointsError `INVALID_OPTION` without a driver; `STORE_UNAVAILABLE`, `STORE_READ_ONLY`, `STORE_FULL` */
  static async open(options: Options, notify: (message: string) => void): Promise<OpenDatabase> {
    const { path, synchronous, driver } = options;
    const database = await openDatabase(path, driver);
    try {
      await whenFree(options.busyTimeoutMs, () => database.exec('PRAGMA journal_mode = WAL'));
      database.exec(`PRAGMA synchronous = ${synchronous}; PRAGMA cache_size = -16000; PRAGMA temp_store = memory`);
      await whenFree(options.busyTimeoutMs, () => database.exec('BEGIN IMMEDIATE'));
      migrate(database);
      database.exec('COMMIT');
      return new OpenDatabase(database, prepareStatements(database), options, notify);
    } catch (error) {
      database.close();
      throw translated(error, path);
    }
  }

  /** @throws AsyncEndpointsError `STORE_UNAVAILABLE` */
  static checked(database: OpenDatabase | undefined): OpenDatabase {
    if (!database) throw notOpen();
    return database;
  }

  private constructor(
    private readonly database: Database,
    readonly statements: Statements,
    private readonly options: Options,
    notify: (message: string) => void,
  ) {
    this.#trouble = new Trouble(options.path, notify);
    this.#checkpoints = new Checkpoints(database, options.path);
    this.jobs = new JobTable(statements, options.agingMs, ({ was, is }) => this.#changed(was, is));
    this.#transactions = new Transactions(statements, options, this.#checkpoints, this.#trouble, this.jobs.tally);
    this.afterwards = (action) => this.#transactions.afterwards(action);
    this.work = new WorkSignal(
      {
        nextReady: (name, now) => orElse(true, () => this.jobs.nextReady(name, now)),
        nextScheduledAt: (names) => orElse(Infinity, () => this.jobs.nextScheduledAt(names)),
      },
      options.now,
    );
    this.changes = new Changes(options.path, statements, this.jobs, this.work);
  }

  write<T>(work: (database: OpenDatabase, now: number) => T): Promise<T> {
    return this.#transactions.write((now) => work(this, now));
  }

  /** @throws AsyncEndpointsError as {@link translated} */
  read<T>(work: (database: OpenDatabase, now: number) => T): T {
    try {
      return work(this, this.options.now());
    } catch (error) {
      throw this.#trouble.errorOf(error);
    }
  }

  /** Call it within a transaction. Workers are woken when the job is durable. */
  arrived(job: JobRecord): void {
    this.afterwards(() => this.work.arrived(job));
  }

  get silence(): Silence {
    const row = this.statements.silence.get() as { entry: string } | undefined;
    return row ? (JSON.parse(row.entry) as Silence) : NO_SILENCE;
  }

  noteSweep(rhythm: SweepRhythm, now: number, sweptAt: number | null): Silence {
    const silence = noteSweep(this.silence, rhythm, now, sweptAt);
    this.statements.keepSilence.run(JSON.stringify(silence));
    return silence;
  }

  /** Within a transaction. @param change sent to the subscribers of the worker, in this and other processes */
  revoked(worker: string, change: JobChange, now: number): void {
    const { id, status, version } = change;
    this.statements.revoke.run(encodeText(worker), id, codeOf(status ?? 'Queued'), version, now);
    const { seq } = this.statements.lastRevocation.get() as { seq: number };
    this.afterwards(() => this.changes.ownRevocation(seq, worker, change));
  }

  async close(): Promise<void> {
    this.work.close();
    this.changes.close();
    await this.#transactions.close();
    await this.#checkpoints.close();
    this.database.close();
  }

  #changed(was: JobRecord, is: JobRecord): void {
    const revokedFrom = was.worker !== null && is.fence > was.fence ? was.worker : null;
    if (revokedFrom !== null) this.revoked(revokedFrom, is, is.lastUpdatedAt);
    this.afterwards(() => this.changes.own(is));
  }
}

/**
 * The signal reads from timers and after commits, where an error must not be thrown. Waiters are woken instead, and their claim
 * reports the error.
 */
function orElse<T>(answer: T, read: () => T): T {
  try {
    return read();
  } catch {
    return answer;
  }
}
