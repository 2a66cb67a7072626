import { publish } from '../../events/channels.js';
import { checkJobIds } from '../../job/job-id.js';
import type { Claim, JobRecord, JobStatus, NewJob } from '../../job/job.js';
import type { Settlement } from '../../job/lifecycle.js';
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
import { decodeNullable, decodeText, encodeNullable, encodeText } from '../sql/text.js';
import { auditSchema } from './audit.js';
import { PostgresBatches } from './batches.js';
import { PostgresChanges } from './changes.js';
import { PostgresClaims } from './claims.js';
import { PostgresConnections } from './connections.js';
import { Fronts } from './fronts.js';
import { listJobs } from './listing.js';
import { PostgresListener } from './listener.js';
import { type PostgresJobStoreOptions, type PostgresSettings, readOptions } from './options.js';
import { readResources } from './resources.js';
import { type RecordRow, recordOf, recordsById, uuidOf } from './rows.js';
import { prepareSchema } from './prepare-schema.js';
import { PostgresSchedules } from './schedules.js';
import { type StatsReply, statsOf } from './stats.js';
import { PostgresTransactions } from './transactions.js';
import { PostgresWorkSignal } from './work-signal.js';

/**
 * Keeps jobs in PostgreSQL 13 or newer, in a schema of their own. Each verb is one call of a function in the database, and one
 * transaction. `docs/postgres.md` describes the tables.
 */
export class PostgresJobStore implements JobStore {
  readonly schedules: PostgresSchedules;
  readonly #settings: PostgresSettings;
  readonly #connections: PostgresConnections;
  readonly #listener: PostgresListener;
  readonly #changes: PostgresChanges;
  readonly #work: PostgresWorkSignal;
  readonly #batches: PostgresBatches;
  readonly #claims: PostgresClaims;
  readonly #transactions: PostgresTransactions;
  readonly #lifetime: Lifetime;
  readonly #fronts = new Fronts();
  /** The time of the last sweep of this process, by the store's clock. */
  #sweptAt: number | null = null;

  /** @throws AsyncEndpointsError `INVALID_OPTION` */
  constructor(options: PostgresJobStoreOptions = {}) {
    this.#settings = readOptions(options);
    this.#connections = new PostgresConnections(this.#settings, this.#notify);
    const hearing = { onMessage: this.#hear.bind(this), onTurn: () => this.#lookAgain() };
    this.#listener = new PostgresListener(this.#settings, this.#connections, hearing, this.#notify);
    this.#changes = new PostgresChanges(this.#connections, this.#listener);
    this.#work = new PostgresWorkSignal(this.#connections, this.#listener, this.#now);
    this.#batches = new PostgresBatches(this.#connections, this.#fronts, this.#now);
    this.#claims = new PostgresClaims(this.#connections, this.#fronts, this.#settings);
    this.#transactions = new PostgresTransactions(this.#settings.schema, this.#now);
    this.schedules = new PostgresSchedules(this.#connections, this.#now);
    this.#lifetime = new Lifetime({ begin: () => this.#begin(), end: () => this.#end() });
  }

  open(): Promise<void> {
    return this.#lifetime.open();
  }

  close(): Promise<void> {
    return this.#lifetime.close();
  }

  async ping(): Promise<void> {
    await this.#connections.call('ping');
  }

  async submit(jobs: readonly NewJob[], limits: QueueLimits): Promise<Submission[]> {
    checkJobIds(jobs);
    return this.#batches.submit(jobs, limits);
  }

  async submitWithin({ execute }: Transaction, jobs: readonly NewJob[], limits: QueueLimits): Promise<Submission[]> {
    checkJobIds(jobs);
    return this.#transactions.submit(execute, jobs, limits);
  }

  claim(request: ClaimRequest): Promise<Claim[]> {
    return this.#claims.claim(request);
  }

  async renew(renewals: readonly Renewal[]): Promise<RenewalReply[]> {
    if (renewals.length === 0) return [];
    const rows = renewals.map(({ id, fence, leaseMs, progress }, n) => {
      return { n, id: uuidOf(id), fence, lease_ms: leaseMs, progress: progress && JSON.stringify(progress) };
    });
    const { synchronousClaims } = this.#settings;
    const others = await this.#connections.call<{ n: number; status: JobStatus | null }[]>(
      'renew',
      JSON.stringify(rows),
      synchronousClaims,
      this.#now(),
    );
    const replies = new Map(others.map(({ n, status }) => [n, status === 'Canceled' ? 'canceled' : 'lost'] as const));
    return renewals.map((_, n) => replies.get(n) ?? 'held');
  }

  settle(settlements: readonly Settlement[]): Promise<boolean[]> {
    return this.#batches.settle(settlements);
  }

  async cancel(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    return recordsById(ids, await this.#connections.call('cancel', ids.map(uuidOf), this.#now()));
  }

  async rerun(ids: readonly string[], { runningForMs }: RerunOptions = {}): Promise<(JobRecord | null)[]> {
    const rows = await this.#connections.call<RecordRow[] | null>(
      'rerun',
      ids.map(uuidOf),
      runningForMs ?? null,
      this.#now(),
    );
    this.#fronts.clear();
    return recordsById(ids, rows);
  }

  async recover({ limit, maxCrashes, sweep }: RecoverOptions): Promise<Recovered[]> {
    const rhythm = [sweep?.silenceMs ?? null, sweep?.leaseMs ?? null, this.#sweptAt].map((ms) => ms && Math.ceil(ms));
    const reply = await this.#connections.call<RecoverReply>('recover', limit, maxCrashes, ...rhythm, this.#now());
    if (sweep) this.#sweptAt = reply.now;
    if (reply.was.length > 0) this.#fronts.clear();
    const byId = new Map(reply.jobs?.map((row) => [row.id, row]));
    return reply.was.map(({ id, worker, lease_until: leaseUntil }) => {
      return { job: recordOf(byId.get(id) as RecordRow), worker: decodeText(worker), leaseUntil };
    });
  }

  purge(limit: number): Promise<string[]> {
    return this.#connections.call('purge', limit, this.#now());
  }

  find(ids: readonly string[], owners?: readonly (string | null)[]): Promise<(JobRecord | null)[]> {
    return this.#batches.find(ids, owners);
  }

  payload(id: string): Promise<string | null> {
    return this.#connections.call('payload', uuidOf(id));
  }

  list(filter: JobFilter, page: { limit: number; cursor?: string }): Promise<JobPage> {
    return listJobs(this.#connections, filter, page, this.#now());
  }

  async stats(): Promise<QueueStats[]> {
    return statsOf(await this.#connections.call<StatsReply>('stats', this.#now()));
  }

  resources(): Promise<StoreResources> {
    return readResources(this.#connections, this.#listener, this.#settings.schema);
  }

  async pause(names: readonly string[], by: string | null): Promise<void> {
    await this.#connections.call('pause', names.map(encodeText), encodeNullable(by), this.#now());
  }

  async resume(names: readonly string[]): Promise<void> {
    await this.#connections.call('resume', names.map(encodeText), this.#now());
  }

  async paused(): Promise<PausedQueue[]> {
    const rows =
      await this.#connections.call<{ name: string; paused_at: number; paused_by: string | null }[]>('paused_names');
    const queues = rows.map(({ name, paused_at: pausedAt, paused_by: by }) => {
      return { name: decodeText(name), pausedAt, pausedBy: decodeNullable(by) };
    });
    return queues.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async register(worker: WorkerInfo, aliveMs: number): Promise<void> {
    await this.#connections.call(
      'register',
      encodeText(worker.id),
      encodeText(JSON.stringify(worker)),
      Math.ceil(aliveMs),
      this.#now(),
    );
  }

  async unregister(id: string): Promise<void> {
    await this.#connections.call('unregister', encodeText(id));
  }

  async workers(): Promise<LiveWorker[]> {
    const rows = await this.#connections.call<{ entry: string; heartbeat_at: number }[]>('workers', this.#now());
    const workers = rows.map(({ entry, heartbeat_at: heartbeatAt }) => {
      return { ...(JSON.parse(decodeText(entry)) as WorkerInfo), heartbeatAt };
    });
    return workers.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  async reportAction(action: OperatorAction): Promise<void> {
    await this.#connections.call('report_action', encodeText(JSON.stringify(action)));
  }

  async takeActions(): Promise<OperatorAction[]> {
    const entries = await this.#connections.call<string[]>('take_actions');
    return entries.map((entry) => JSON.parse(decodeText(entry)) as OperatorAction);
  }

  /** As the contract says; a repair drops nothing. */
  audit({ repair = false }: { repair?: boolean } = {}): Promise<string[]> {
    return auditSchema(this.#connections, this.#settings.schema, repair);
  }

  subscribe(topic: Topic, listener: (change: JobChange) => void): Promise<() => void> {
    return this.#changes.subscribe(topic, listener);
  }

  async waitForWork(names: readonly string[], signal: AbortSignal): Promise<void> {
    if (this.#connections.isOpen) await this.#work.wait(names, signal);
  }

  readonly #notify = (message: string): void => publish('notice', { store: this, message });
  readonly #now = (): number | null => (this.#settings.now ? Math.floor(this.#settings.now()) : null);

  async #begin(): Promise<void> {
    this.#connections.open();
    await prepareSchema(this.#connections, this.#settings, this.#notify);
  }

  async #end(): Promise<void> {
    this.#listener.close();
    this.#work.close();
    this.#changes.close();
    this.#sweptAt = null;
    await this.#connections.close();
  }

  #hear(channel: 'own' | 'revoked' | 'work', text: string): void {
    if (channel === 'work') return this.#work.notify(text);
    const message = JSON.parse(text) as { work?: string; changes?: Parameters<PostgresChanges['changed']>[0] };
    if (channel === 'revoked') {
      const [worker, ...change] = message as unknown as [string, string, JobStatus, number];
      return this.#changes.revoked(worker, change);
    }
    if (message.work !== undefined) this.#work.notify(message.work);
    if (message.changes) this.#changes.changed(message.changes);
  }

  #lookAgain(): void {
    this.#work.lookAgain();
    this.#changes.lookAgain().catch(() => {}); // repeated when the connection is back
  }
}

interface RecoverReply {
  readonly now: number;
  readonly was: readonly { readonly id: string; readonly worker: string; readonly lease_until: number }[];
  readonly jobs: readonly RecordRow[] | null;
}
