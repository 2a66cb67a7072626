import type { Claim, JobRecord, NewJob } from '../../job/job.js';
import * as lifecycle from '../../job/lifecycle.js';
import { decodeCursor, encodeCursor } from '../cursor.js';
import type {
  ClaimRequest,
  JobChange,
  JobFilter,
  JobPage,
  JobStore,
  QueueStats,
  Renewal,
  RenewalReply,
  Submission,
  Topic,
} from '../job-store.js';
import { Listeners } from '../listeners.js';
import { Turns } from '../turns.js';
import { IdempotencyKeys } from './idempotency-keys.js';
import { isPosition, JobIndex, type Position } from './job-index.js';
import type { Entry } from './queue.js';
import { WorkSignal } from './work-signal.js';

export interface MemoryJobStoreOptions {
  /** The store's clock, in milliseconds since the epoch. Default `Date.now`; tests set their own. */
  now?: () => number;
}

/**
 * The reference implementation and the embedded default: all jobs in this process's memory, gone when it ends.
 * Each verb runs in one synchronous step, which is what makes it atomic; every verb is O(log n) per job.
 */
export class MemoryJobStore implements JobStore {
  readonly #now: () => number;
  readonly #jobs = new JobIndex();
  readonly #keys = new IdempotencyKeys();
  readonly #listeners = new Listeners();
  readonly #work: WorkSignal;
  readonly #turns = new Turns();

  constructor(options: MemoryJobStoreOptions = {}) {
    this.#now = options.now ?? Date.now;
    this.#work = new WorkSignal(this.#jobs, this.#now);
  }

  async open(): Promise<void> {}

  async close(): Promise<void> {
    this.#work.close();
  }

  async ping(): Promise<void> {}

  async submit(jobs: readonly NewJob[], limits: { queueLimit: number }): Promise<Submission[]> {
    const now = this.#now();
    return jobs.map((job) => this.#submit(job, limits.queueLimit, now));
  }

  async claim(request: ClaimRequest): Promise<Claim[]> {
    const now = this.#now();
    const claims: Claim[] = [];
    const slots = new Map(request.slots);
    for (let turns = this.#turns.rotate(slots.keys()); turns.length > 0 && claims.length < request.limit;) {
      turns = turns.filter((name) => {
        const entry = (slots.get(name) ?? 0) > 0 ? this.#jobs.nextReady(name, now) : undefined;
        if (!entry || claims.length >= request.limit) return false;
        const job = this.#move(entry, lifecycle.claim(entry.job, request, now));
        claims.push({ job, input: entry.input, token: job.fence });
        slots.set(name, (slots.get(name) as number) - 1);
        return true;
      });
    }
    this.#work.remaining(slots.keys());
    return claims;
  }

  async renew(renewals: readonly Renewal[]): Promise<RenewalReply[]> {
    const now = this.#now();
    return renewals.map((renewal) => {
      const entry = this.#jobs.find(renewal.id);
      if (!entry || entry.job.status === 'Canceled') return entry ? 'canceled' : 'lost';
      if (entry.job.status !== 'InProgress' || entry.job.fence !== renewal.token) return 'lost';
      this.#jobs.renew(entry, lifecycle.renew(entry.job, renewal, now));
      if (renewal.progress) this.#tell(entry.job);
      return 'held';
    });
  }

  async settle(settlements: readonly lifecycle.Settlement[]): Promise<boolean[]> {
    const now = this.#now();
    return settlements.map((settlement) => {
      const entry = this.#jobs.find(settlement.id);
      if (entry?.job.fence !== settlement.token || entry.job.name !== settlement.name) return false;
      if (entry.job.status === 'InProgress') this.#move(entry, lifecycle.settle(entry.job, settlement, now));
      return true;
    });
  }

  async cancel(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    return this.#each(ids, 'cancel', (job, now) => lifecycle.cancel(job, now));
  }

  async rerun(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    return this.#each(ids, 'rerun', (job, now) => lifecycle.rerun(job, now));
  }

  async recover(options: { limit: number; maxCrashes: number }): Promise<JobRecord[]> {
    const now = this.#now();
    const recovered: JobRecord[] = [];
    for (let entry; recovered.length < options.limit && (entry = this.#jobs.nextExpired(now));) {
      recovered.push(this.#move(entry, lifecycle.recover(entry.job, options.maxCrashes, now)));
    }
    return recovered;
  }

  async purge(limit: number): Promise<number> {
    const now = this.#now();
    let purged = 0;
    for (let entry; purged < limit && (entry = this.#jobs.nextPurgeable(now)); purged++) this.#jobs.delete(entry);
    this.#keys.purge(limit, now);
    return purged;
  }

  async find(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    return ids.map((id) => this.#jobs.find(id)?.job ?? null);
  }

  async list(filter: JobFilter, page: { limit: number; cursor?: string }): Promise<JobPage> {
    const from = page.cursor === undefined ? null : decodeCursor<Position>(page.cursor, isPosition);
    const { jobs, at } = this.#jobs.list(filter, page.limit, from, this.#now());
    return { jobs, cursor: at && encodeCursor(at) };
  }

  async stats(): Promise<QueueStats[]> {
    return this.#jobs.stats(this.#now());
  }

  async watch(topic: Topic, listener: (change: JobChange) => void): Promise<() => void> {
    return this.#listeners.add(topic, listener);
  }

  waitForWork(names: readonly string[], signal: AbortSignal): Promise<void> {
    return this.#work.wait(names, signal);
  }

  #submit(job: NewJob, queueLimit: number, now: number): Submission {
    const key = job.idempotency && this.#keys.find(job, now);
    const keyed = key ? this.#jobs.find(key) : undefined; // a key whose job is gone names nobody
    const known = (keyed ?? this.#jobs.find(job.id))?.job;
    if (known) {
      return isSameRequest(known, job)
        ? { outcome: 'existing', job: known }
        : { outcome: 'conflict', on: keyed ? 'key' : 'id' };
    }
    if (this.#jobs.waiting >= queueLimit) return { outcome: 'refused', limit: 'total' };
    if (job.queueLimit !== null && this.#jobs.waitingOf(job.name) >= job.queueLimit) {
      return { outcome: 'refused', limit: 'name' };
    }
    const record = lifecycle.submit(job, now);
    this.#jobs.add(record, job.input);
    if (job.idempotency) this.#keys.add(job, now);
    this.#work.arrived(record);
    return { outcome: 'created', job: record };
  }

  #each(
    ids: readonly string[],
    verb: 'cancel' | 'rerun',
    change: (job: JobRecord, now: number) => JobRecord,
  ): (JobRecord | null)[] {
    const now = this.#now();
    return ids.map((id) => {
      const entry = this.#jobs.find(id);
      if (!entry || !lifecycle.allows(verb, entry.job.status)) return entry?.job ?? null;
      return this.#move(entry, change(entry.job, now));
    });
  }

  /** Every transition comes through here: record and indexes together, then those who wait are told. */
  #move(entry: Entry, job: JobRecord): JobRecord {
    const before = entry.job;
    this.#jobs.move(entry, job);
    this.#tell(job, before);
    this.#work.arrived(job);
    return job;
  }

  /** `before`: the record as it was, to know whose claim was revoked. */
  #tell(job: JobRecord, before?: JobRecord): void {
    this.#listeners.tellOfJob(job);
    if (before?.worker != null && job.fence > before.fence) this.#listeners.tellWorker(before.worker, job);
  }
}

function isSameRequest(known: JobRecord, job: NewJob): boolean {
  const { name, owner, fingerprint } = known;
  return fingerprint !== null && fingerprint === job.fingerprint && name === job.name && owner === job.owner;
}
