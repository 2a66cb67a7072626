import * as kit from 'nestjs-async-endpoints/store';
import type { Claim, JobRecord, JobStore, LiveWorker, NewJob, PausedQueue } from 'nestjs-async-endpoints/store';
import { JobTable, type Row } from './job-table.js';

const POLL_MS = 20;

/**
 * A store that keeps its rows in this process. Each verb runs in one synchronous step, which is what a transaction is to a
 * database. `now` is the store's clock, as `now()` is in SQL.
 */
export class TableJobStore implements JobStore {
  readonly #table = new JobTable();
  readonly #rows = this.#table.rows;
  /** A key names its job by id, and may outlive it. */
  readonly #keys = new Map<string, { readonly id: string; readonly until: number }>();
  readonly #workers = new Map<string, { readonly worker: LiveWorker; readonly until: number }>();
  readonly #subscribers = new kit.Subscribers();
  readonly #waiters = new kit.Waiters();
  readonly #sweeps = new kit.Sweeps();
  readonly #turns = new kit.Turns();
  readonly #lifetime = new kit.Lifetime({
    begin: async () => this.#setOpen(true),
    end: async () => this.#setOpen(false),
  });
  #isOpen = false;
  #submitted = 0;

  constructor(private readonly now: () => number) {}

  open = () => this.#lifetime.open();
  close = () => this.#lifetime.close();
  async ping(): Promise<void> {}

  async submit(jobs: readonly NewJob[], limits: kit.QueueLimits): Promise<kit.Submission[]> {
    kit.checkJobIds(jobs);
    return jobs.map((job) => this.#submit(job, limits, this.now()));
  }

  /** The checks and the insert are one step: no other submission comes between them. */
  #submit(job: NewJob, limits: kit.QueueLimits, now: number): kit.Submission {
    const scope = kit.decide.scopeOfKey(job);
    const key = scope ? this.#keys.get(scope) : undefined;
    const keyed = key && key.until > now ? this.#rows.get(key.id) : undefined;
    const known = keyed ?? this.#rows.get(job.id);
    if (known) return kit.decide.submitAgain(known.job, job, keyed ? 'key' : 'id');
    if (this.#table.isFull(null, limits)) return { outcome: 'refused', limit: 'total' };
    if (this.#table.isFull(job.name, job)) return { outcome: 'refused', limit: 'name' };
    const record = kit.lifecycle.submit(job, now);
    this.#rows.set(job.id, { job: record, payload: job.payload, number: this.#submitted++ });
    if (scope) this.#keys.set(scope, { id: job.id, until: now + (job.idempotency?.retentionMs ?? 0) });
    if (record.status === 'Queued') this.#waiters.wakeOne(job.name);
    return { outcome: 'created', job: record };
  }

  /** Names take turns, so that a long queue of one name does not delay another. */
  async claim(request: kit.ClaimRequest): Promise<Claim[]> {
    const now = this.now();
    const claims: Claim[] = [];
    const slots = new Map(request.slots);
    for (let names = this.#turns.rotate(slots.keys()); names.length > 0;) {
      names = names.filter((name) => {
        const free = slots.get(name) ?? 0;
        const row = free > 0 && claims.length < request.limit ? this.#table.next(name, now) : undefined;
        if (!row) return false;
        const job = this.#move(row, kit.lifecycle.claim(row.job, request, now));
        slots.set(name, free - 1);
        return claims.push({ job, payload: row.payload, fence: job.fence });
      });
    }
    return claims;
  }

  async renew(renewals: readonly kit.Renewal[]): Promise<kit.RenewalReply[]> {
    return renewals.map((renewal) => {
      const row = this.#rows.get(renewal.id);
      const { reply, job } = kit.decide.renew(row?.job, renewal, this.now());
      if (row && job) row.job = job;
      if (job && renewal.progress) this.#subscribers.notifyOfJob(job);
      return reply;
    });
  }

  /** The fence decides. A repeated settlement finds its job settled, and returns the same. */
  async settle(settlements: readonly kit.Settlement[]): Promise<boolean[]> {
    return settlements.map((settlement) => {
      const row = this.#rows.get(settlement.id);
      const { reply, job } = kit.decide.settle(row?.job, settlement, this.now());
      if (row && job) this.#move(row, job);
      return reply;
    });
  }

  async cancel(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    return this.#change(ids, (job) => kit.decide.cancel(job, this.now()));
  }

  async rerun(ids: readonly string[], options: kit.RerunOptions = {}): Promise<(JobRecord | null)[]> {
    return this.#change(ids, (job) => kit.decide.rerun(job, options, this.now()));
  }

  /** `Sweeps` tells a dead worker from an outage of the store, after which no crash is counted. */
  async recover({ limit, maxCrashes, sweep }: kit.RecoverOptions): Promise<kit.Recovered[]> {
    const now = this.now();
    if (sweep) this.#sweeps.note(sweep, now);
    const expired = this.#table.select(
      ({ leaseUntil }) => leaseUntil !== null && this.#sweeps.hasRunOut(leaseUntil, now),
    );
    const earliest = expired.toSorted((a, b) => Number(a.job.leaseUntil) - Number(b.job.leaseUntil)).slice(0, limit);
    return earliest.map((row) => {
      const [worker, leaseUntil] = [row.job.worker as string, row.job.leaseUntil as number];
      const isCrash = !this.#sweeps.ranOutInSilence(leaseUntil);
      return { job: this.#move(row, kit.lifecycle.recover(row.job, { maxCrashes, isCrash }, now)), worker, leaseUntil };
    });
  }

  async purge(limit: number): Promise<string[]> {
    const purgeable = this.#table
      .select((job) => (kit.lifecycle.purgeableAt(job) ?? Infinity) <= this.now())
      .slice(0, limit);
    for (const { job } of purgeable) this.#rows.delete(job.id);
    for (const [scope, { until }] of this.#keys) if (until <= this.now()) this.#keys.delete(scope);
    return purgeable.map(({ job }) => job.id);
  }

  async find(ids: readonly string[], owners?: readonly (string | null)[]): Promise<(JobRecord | null)[]> {
    const jobs = ids.map((id) => this.#rows.get(id)?.job ?? null);
    return jobs.map((job, at) => (owners && job?.owner !== owners[at] ? null : job));
  }

  async list(filter: kit.JobFilter, page: { limit: number; cursor?: string }): Promise<kit.JobPage> {
    return this.#table.page(filter, page, this.now());
  }

  async stats(): Promise<kit.QueueStats[]> {
    return this.#table.stats(this.now());
  }

  async pause(names: readonly string[], by: string | null): Promise<void> {
    const { paused } = this.#table;
    for (const name of names) if (!paused.has(name)) paused.set(name, { name, pausedAt: this.now(), pausedBy: by });
  }

  async resume(names: readonly string[]): Promise<void> {
    for (const name of names) this.#table.paused.delete(name);
    this.#waiters.wakeAll();
  }

  async paused(): Promise<PausedQueue[]> {
    return [...this.#table.paused.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async register(worker: kit.WorkerInfo, aliveMs: number): Promise<void> {
    this.#workers.set(worker.id, { worker: { ...worker, heartbeatAt: this.now() }, until: this.now() + aliveMs });
  }

  async unregister(id: string): Promise<void> {
    this.#workers.delete(id);
  }

  async workers(): Promise<LiveWorker[]> {
    const alive = [...this.#workers.values()].filter(({ until }) => until > this.now());
    return alive.map(({ worker }) => worker).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  async subscribe(topic: kit.Topic, listener: (change: kit.JobChange) => void): Promise<() => void> {
    return this.#subscribers.add(topic, listener);
  }

  /** Polls for scheduled jobs and submissions of other processes. A notification ends the pause earlier. */
  async waitForWork(names: readonly string[], signal: AbortSignal): Promise<void> {
    const hasWork = () => names.some((name) => this.#table.next(name, this.now()));
    while (this.#isOpen && !signal.aborted && !hasWork()) {
      await this.#waiters.add(names, AbortSignal.any([signal, AbortSignal.timeout(POLL_MS)]));
    }
  }

  #change(ids: readonly string[], next: (job: JobRecord) => JobRecord | null): (JobRecord | null)[] {
    return ids.map((id) => {
      const row = this.#rows.get(id);
      const job = row && next(row.job);
      return job ? this.#move(row, job) : (row?.job ?? null);
    });
  }

  /** Every change of a job: the record, then the notifications. In SQL: `update`, then `notify` in the same transaction. */
  #move(row: Row, job: JobRecord): JobRecord {
    const { worker, fence } = row.job;
    row.job = job;
    if (job.status === 'Completed') row.payload = '';
    this.#subscribers.notifyOfJob(job);
    if (worker !== null && job.fence > fence) this.#subscribers.notifyWorker(worker, job);
    if (job.status === 'Queued') this.#waiters.wakeOne(job.name);
    return job;
  }

  async #setOpen(isOpen: boolean): Promise<void> {
    this.#isOpen = isOpen;
    this.#waiters.wakeAll();
  }
}
