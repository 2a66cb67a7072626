import { publish } from '../../events/channels.js';
import { checkJobIds } from '../../job/job-id.js';
import type { Claim, JobRecord, NewJob } from '../../job/job.js';
import * as decide from '../../job/decide.js';
import type { Settlement } from '../../job/lifecycle.js';
import { Turns } from '../../store/fairness.js';
import type {
  ClaimRequest,
  JobChange,
  JobFilter,
  JobPage,
  JobStore,
  LiveWorker,
  OperatorAction,
  PausedQueue,
  QueueLimits,
  QueueStats,
  Recovered,
  RecoverOptions,
  Renewal,
  RenewalReply,
  RerunOptions,
  StoreResources,
  Submission,
  Topic,
  WorkerInfo,
} from '../../store/job-store.js';
import { Lifetime } from '../../store/lifetime.js';
import type { Transaction } from '../../store/transaction.js';
import { eachPart, takeParts } from './batches.js';
import { CallersTransactions } from './callers-transactions.js';
import { auditDatabase } from './audit.js';
import { claimJobs } from './claims.js';
import { isAvailable } from './driver.js';
import { listJobs } from './listing.js';
import { OpenDatabase } from './open-database.js';
import { type SqliteJobStoreOptions, readOptions } from './options.js';
import { type ClaimableRow, type JobRow, recordOf } from './rows.js';
import { recoverJobs } from './recover.js';
import { readResources } from './resources.js';
import { SqliteSchedules } from './schedules.js';
import { statsOf } from './stats.js';
import { submitJobs } from './submit.js';
import { decodeNullable, decodeText, encodeNullable, encodeText } from '../sql/text.js';

const KEEP_REVOCATIONS_MS = 60_000;
/** Of more actions the oldest are forgotten. */
const MOST_ACTIONS = 1_000;

/**
 * Keeps jobs in a file, durable and without a server, for the processes of one machine. Calls of one turn of the event loop share
 * transactions. `docs/sqlite.md` describes which failures a commit survives.
 */
export class SqliteJobStore implements JobStore {
  /** The option `synchronous`: how durable a commit is. */
  readonly synchronous: 'FULL' | 'NORMAL';
  readonly schedules: SqliteSchedules;
  readonly #options: ReturnType<typeof readOptions>;
  readonly #lifetime: Lifetime;
  readonly #transactions: CallersTransactions;
  readonly #turns = new Turns();
  #database: OpenDatabase | undefined;
  /** The time of the last sweep of this process, by the store's clock. */
  #sweptAt: number | null = null;

  /** @throws AsyncEndpointsError `INVALID_OPTION` */
  constructor(options: SqliteJobStoreOptions) {
    this.#options = readOptions(options);
    this.#transactions = new CallersTransactions(this.#options);
    this.synchronous = this.#options.synchronous;
    this.schedules = new SqliteSchedules({ read: this.#read.bind(this), write: this.#write.bind(this) });
    const notify = (message: string) => publish('notice', { store: this, message });
    const begin = async () => void (this.#database = await OpenDatabase.open(this.#options, notify));
    this.#lifetime = new Lifetime({ begin, end: () => this.#end() });
  }

  /** Whether this process has a driver: Node 22.13 and newer, or the package `better-sqlite3`. */
  static isAvailable(): Promise<boolean> {
    return isAvailable();
  }

  open(): Promise<void> {
    return this.#lifetime.open();
  }

  close(): Promise<void> {
    return this.#lifetime.close();
  }

  ping(): Promise<void> {
    return this.#write(({ statements }) => void statements.probe.run());
  }

  async submit(jobs: readonly NewJob[], limits: QueueLimits): Promise<Submission[]> {
    checkJobIds(jobs);
    return eachPart(jobs, (part) => this.#write((database, now) => submitJobs(database, part, limits, now)));
  }

  async submitWithin(transaction: Transaction, jobs: readonly NewJob[], limits: QueueLimits): Promise<Submission[]> {
    OpenDatabase.checked(this.#database);
    return this.#transactions.submit(transaction, jobs, limits);
  }

  claim(request: ClaimRequest): Promise<Claim[]> {
    const slots = new Map(request.slots);
    return takeParts(request.limit, async (limit) => {
      const part = { ...request, limit, slots };
      const claims = await this.#write((database, now) => claimJobs(database, this.#turns, part, now));
      for (const { job } of claims) slots.set(job.name, (slots.get(job.name) as number) - 1);
      return claims;
    });
  }

  renew(renewals: readonly Renewal[]): Promise<RenewalReply[]> {
    return this.#each(renewals, ({ jobs, statements }, renewal, now) => {
      const row = jobs.find(renewal.id);
      const was = row && recordOf(row);
      const { reply, job } = decide.renew(was, renewal, now);
      if (was && job && renewal.progress) jobs.update(row, was, job);
      else if (row && job) statements.renew.run(job.leaseUntil, row.seq);
      return reply;
    });
  }

  settle(settlements: readonly Settlement[]): Promise<boolean[]> {
    return this.#each(settlements, ({ jobs }, settlement, now) => {
      const row = jobs.find(settlement.id);
      const was = row && recordOf(row);
      const { reply, job } = decide.settle(was, settlement, now);
      if (was && job) jobs.update(row, was, job);
      return reply;
    });
  }

  cancel(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    return this.#change(ids, decide.cancel);
  }

  rerun(ids: readonly string[], options: RerunOptions = {}): Promise<(JobRecord | null)[]> {
    return this.#change(ids, (job, now) => decide.rerun(job, options, now));
  }

  recover(options: RecoverOptions): Promise<Recovered[]> {
    return this.#write((database, now) => {
      const sweptAt = this.#sweptAt;
      if (options.sweep) this.#sweptAt = now;
      return recoverJobs(database, options, now, sweptAt);
    });
  }

  purge(limit: number): Promise<string[]> {
    return takeParts(limit, (some) =>
      this.#write(({ jobs, statements }, now) => {
        const rows = statements.purgeable.all(now, some) as JobRow[];
        for (const row of rows) jobs.remove(row);
        statements.purgeKeys.run(now, limit);
        statements.forgetRevocations.run(now - KEEP_REVOCATIONS_MS);
        statements.forgetWorkers.run(now);
        return rows.map(({ id }) => id);
      }),
    );
  }

  find(ids: readonly string[], owners?: readonly (string | null)[]): Promise<(JobRecord | null)[]> {
    return this.#read(({ jobs }) =>
      ids.map((id, index) => {
        const row = jobs.find(id);
        return row && (!owners || decodeNullable(row.owner) === owners[index]) ? recordOf(row) : null;
      }),
    );
  }

  payload(id: string): Promise<string | null> {
    return this.#read(({ statements }) => (statements.payload.get(id) as ClaimableRow | undefined)?.payload ?? null);
  }

  list(filter: JobFilter, page: { limit: number; cursor?: string }): Promise<JobPage> {
    return this.#read((database, now) => listJobs(database, filter, page, now));
  }

  stats(): Promise<QueueStats[]> {
    return this.#read(statsOf);
  }

  async resources(): Promise<StoreResources> {
    OpenDatabase.checked(this.#database);
    return readResources(this.#options.path);
  }

  pause(names: readonly string[], by: string | null): Promise<void> {
    return this.#write(({ statements }, now) => {
      for (const name of names) statements.pause.run(encodeText(name), now, encodeNullable(by));
    });
  }

  resume(names: readonly string[]): Promise<void> {
    return this.#write(({ statements, afterwards, work }) => {
      for (const name of names) statements.resume.run(encodeText(name));
      afterwards(() => work.resumed(names));
    });
  }

  paused(): Promise<PausedQueue[]> {
    return this.#read(({ statements }) =>
      (statements.paused.all() as PausedQueue[]).map(({ name, pausedAt, pausedBy }) => {
        return { name: decodeText(name), pausedAt, pausedBy: decodeNullable(pausedBy) };
      }),
    );
  }

  register(worker: WorkerInfo, aliveMs: number): Promise<void> {
    return this.#write(({ statements }, now) => {
      statements.register.run(encodeText(worker.id), JSON.stringify(worker), now, now + aliveMs);
    });
  }

  unregister(id: string): Promise<void> {
    return this.#write(({ statements }) => void statements.unregister.run(encodeText(id)));
  }

  workers(): Promise<LiveWorker[]> {
    return this.#read(({ statements }, now) => {
      const rows = statements.workers.all(now) as { entry: string; heartbeat_at: number }[];
      return rows.map((row) => ({ ...(JSON.parse(row.entry) as WorkerInfo), heartbeatAt: row.heartbeat_at }));
    });
  }

  reportAction(action: OperatorAction): Promise<void> {
    return this.#write(({ statements }) => {
      statements.reportAction.run(JSON.stringify(action));
      statements.forgetActions.run(MOST_ACTIONS);
    });
  }

  async takeActions(): Promise<OperatorAction[]> {
    const rows = await this.#read(({ statements }) => statements.actions.all() as { seq: number; entry: string }[]);
    if (rows.length === 0) return [];
    return this.#write(({ statements }) => {
      const taken = rows.filter(({ seq }) => statements.takeAction.run(seq).changes > 0);
      return taken.map(({ entry }) => JSON.parse(entry) as OperatorAction);
    });
  }

  /** As the contract says; a repair drops records that cannot be read. */
  async audit({ repair = false }: { repair?: boolean } = {}): Promise<string[]> {
    OpenDatabase.checked(this.#database);
    return auditDatabase(this.#options, repair);
  }

  subscribe(topic: Topic, listener: (change: JobChange) => void): Promise<() => void> {
    return this.#read(({ changes }) => changes.subscribe(topic, listener));
  }

  async waitForWork(names: readonly string[], signal: AbortSignal): Promise<void> {
    if (!this.#database) return;
    this.#database.changes.watch();
    await this.#database.work.wait(names, signal);
  }

  /** @param change returns the changed job; null when the job does not change */
  #change(
    ids: readonly string[],
    change: (job: JobRecord, now: number) => JobRecord | null,
  ): Promise<(JobRecord | null)[]> {
    return this.#each(ids, ({ jobs }, id, now) => {
      const row = jobs.find(id);
      const job = row && recordOf(row);
      const changed = job && change(job, now);
      return row && job && changed ? jobs.update(row, job, changed) : (job ?? null);
    });
  }

  #each<T, TReply>(
    items: readonly T[],
    work: (database: OpenDatabase, item: T, now: number) => TReply,
  ): Promise<TReply[]> {
    return eachPart(items, (part) => this.#write((database, now) => part.map((item) => work(database, item, now))));
  }

  async #write<T>(work: (database: OpenDatabase, now: number) => T): Promise<T> {
    return OpenDatabase.checked(this.#database).write(work);
  }

  async #read<T>(work: (database: OpenDatabase, now: number) => T): Promise<T> {
    return OpenDatabase.checked(this.#database).read(work);
  }

  async #end(): Promise<void> {
    const database = this.#database;
    this.#database = undefined;
    this.#sweptAt = null;
    await database?.close();
  }
}
