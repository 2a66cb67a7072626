import { publish } from '../../events/channels.js';
import { checkJobIds } from '../../job/job-id.js';
import type { Claim, JobRecord, NewJob } from '../../job/job.js';
import * as decide from '../../job/decide.js';
import * as lifecycle from '../../job/lifecycle.js';
import { beginningAt, encodeCursor } from '../../store/listing.js';
import { Turns } from '../../store/fairness.js';
import type {
  ClaimRequest,
  JobChange,
  JobFilter,
  JobPage,
  JobStore,
  LiveWorker,
  PausedQueue,
  QueueLimits,
  QueueStats,
  Recovered,
  RecoverOptions,
  Renewal,
  RenewalReply,
  RerunOptions,
  Submission,
  Topic,
  WorkerInfo,
} from '../../store/job-store.js';
import { Lifetime } from '../../store/lifetime.js';
import { Subscribers } from '../../store/subscriptions.js';
import { Sweeps } from '../../store/sweeps.js';
import { WorkSignal } from '../../store/work-signal.js';
import { IdempotencyKeys } from './idempotency-keys.js';
import { JobIndex } from './job-index.js';
import { LiveWorkers } from './live-workers.js';
import { type MemoryJobStoreOptions, readOptions } from './options.js';
import { MemorySchedules } from './schedules.js';
import { Transitions } from './transitions.js';

export type { MemoryJobStoreOptions };

/**
 * The reference implementation and the default: all jobs are in the memory of this process and are lost when it ends. Each verb
 * is atomic because it runs in one synchronous step. Every verb is O(log n) per job.
 */
export class MemoryJobStore implements JobStore {
  readonly schedules: MemorySchedules;
  readonly #now: () => number;
  readonly #jobs: JobIndex;
  readonly #keys = new IdempotencyKeys();
  readonly #listeners = new Subscribers();
  readonly #work: WorkSignal;
  readonly #turns = new Turns();
  readonly #sweeps = new Sweeps();
  readonly #workers = new LiveWorkers();
  readonly #transitions: Transitions;
  readonly #lifetime = new Lifetime({ end: async () => this.#work.close() });

  /** @throws AsyncEndpointsError `INVALID_OPTION` */
  constructor(options: MemoryJobStoreOptions = {}) {
    const { now, agingMs, maxFinishedBytes } = readOptions(options);
    this.#now = now;
    this.#jobs = new JobIndex(agingMs, maxFinishedBytes);
    this.#work = new WorkSignal(this.#jobs, this.#now);
    const notify = (message: string) => publish('notice', { store: this, message });
    this.schedules = new MemorySchedules(this.#now, this.#listeners, {
      find: (id) => this.#jobs.find(id)?.job,
      submit: (job, limits, at) => this.#submit(job, limits, at),
    });
    this.#transitions = new Transitions(this.#jobs, this.#listeners, this.#work, notify);
  }

  open(): Promise<void> {
    return this.#lifetime.open();
  }

  close(): Promise<void> {
    return this.#lifetime.close();
  }

  async ping(): Promise<void> {}

  async submit(jobs: readonly NewJob[], limits: QueueLimits): Promise<Submission[]> {
    checkJobIds(jobs);
    const now = this.#now();
    return jobs.map((job) => this.#submit(job, limits, now));
  }

  async claim(request: ClaimRequest): Promise<Claim[]> {
    const now = this.#now();
    const claims: Claim[] = [];
    const slots = new Map(request.slots);
    for (let turns = this.#turns.rotate(slots.keys()); turns.length > 0 && claims.length < request.limit;) {
      turns = turns.filter((name) => {
        const entry = (slots.get(name) ?? 0) > 0 ? this.#jobs.nextReady(name, now) : undefined;
        if (!entry || claims.length >= request.limit) return false;
        const job = this.#transitions.move(entry, lifecycle.claim(entry.job, request, now));
        claims.push({ job, payload: entry.payload, fence: job.fence });
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
      const { reply, job } = decide.renew(entry?.job, renewal, now);
      if (entry && job) this.#jobs.renew(entry, job);
      if (job && renewal.progress) this.#listeners.notifyOfJob(job);
      return reply;
    });
  }

  async settle(settlements: readonly lifecycle.Settlement[]): Promise<boolean[]> {
    const now = this.#now();
    return settlements.map((settlement) => {
      const entry = this.#jobs.find(settlement.id);
      const { reply, job } = decide.settle(entry?.job, settlement, now);
      if (entry && job) this.#transitions.move(entry, job);
      return reply;
    });
  }

  async cancel(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    const now = this.#now();
    return this.#each(ids, (job) => decide.cancel(job, now));
  }

  async rerun(ids: readonly string[], options: RerunOptions = {}): Promise<(JobRecord | null)[]> {
    const now = this.#now();
    return this.#each(ids, (job) => decide.rerun(job, options, now));
  }

  async recover({ limit, maxCrashes, sweep }: RecoverOptions): Promise<Recovered[]> {
    const now = this.#now();
    if (sweep) this.#sweeps.note(sweep, now);
    const recovered: Recovered[] = [];
    for (let entry; recovered.length < limit && (entry = this.#jobs.earliestLease);) {
      const leaseUntil = entry.job.leaseUntil as number;
      if (!this.#sweeps.hasRunOut(leaseUntil, now)) break;
      const isCrash = !this.#sweeps.ranOutInSilence(leaseUntil);
      const { worker } = entry.job;
      const job = this.#transitions.move(entry, lifecycle.recover(entry.job, { maxCrashes, isCrash }, now));
      recovered.push({ job, worker: worker as string, leaseUntil });
    }
    return recovered;
  }

  async purge(limit: number): Promise<string[]> {
    const now = this.#now();
    const ids: string[] = [];
    for (let entry; ids.length < limit && (entry = this.#jobs.nextPurgeable(now)); ids.push(entry.job.id)) {
      this.#jobs.delete(entry);
    }
    this.#keys.purge(limit, now);
    return ids;
  }

  async find(ids: readonly string[], owners?: readonly (string | null)[]): Promise<(JobRecord | null)[]> {
    return ids.map((id, index) => {
      const job = this.#jobs.find(id)?.job;
      return job && (!owners || job.owner === owners[index]) ? job : null;
    });
  }

  async payload(id: string): Promise<string | null> {
    return this.#jobs.find(id)?.payload || null;
  }

  async list(filter: JobFilter, page: { limit: number; cursor?: string }): Promise<JobPage> {
    const [, from] = beginningAt(page.cursor);
    const { jobs, before } = this.#jobs.list(filter, page.limit, from, this.#now());
    return { jobs, cursor: before === null ? null : encodeCursor(['before', before, 0]) };
  }

  async stats(): Promise<QueueStats[]> {
    return this.#jobs.stats(this.#now());
  }

  async pause(names: readonly string[], by: string | null): Promise<void> {
    for (const name of names) this.#jobs.pause(name, this.#now(), by);
  }

  async resume(names: readonly string[]): Promise<void> {
    for (const name of names) this.#jobs.resume(name);
    this.#work.resumed(names);
  }

  async paused(): Promise<PausedQueue[]> {
    return this.#jobs.paused;
  }

  async register(worker: WorkerInfo, aliveMs: number): Promise<void> {
    this.#workers.register(worker, aliveMs, this.#now());
  }

  async unregister(id: string): Promise<void> {
    this.#workers.unregister(id);
  }

  async workers(): Promise<LiveWorker[]> {
    return this.#workers.all(this.#now());
  }

  async subscribe(topic: Topic, listener: (change: JobChange) => void): Promise<() => void> {
    return this.#listeners.add(topic, listener);
  }

  waitForWork(names: readonly string[], signal: AbortSignal): Promise<void> {
    return this.#work.wait(names, signal);
  }

  #submit(job: NewJob, limits: QueueLimits, now: number): Submission {
    const key = job.idempotency && this.#keys.find(job, now);
    const keyed = key ? this.#jobs.find(key) : undefined; // a key whose job was purged does not count
    const known = (keyed ?? this.#jobs.find(job.id))?.job;
    if (known) return decide.submitAgain(known, job, keyed ? 'key' : 'id');
    const limit = this.#jobs.reachedLimit(job, limits);
    if (limit) return { outcome: 'refused', limit };
    const record = lifecycle.submit(job, now);
    this.#jobs.add(record, job.payload);
    if (job.idempotency) this.#keys.add(job, now);
    this.#work.arrived(record);
    return { outcome: 'created', job: record };
  }

  /** @param change returns the changed job; null when the job does not change */
  #each(ids: readonly string[], change: (job: JobRecord) => JobRecord | null): (JobRecord | null)[] {
    return ids.map((id) => {
      const entry = this.#jobs.find(id);
      const changed = entry && change(entry.job);
      return changed ? this.#transitions.move(entry, changed) : (entry?.job ?? null);
    });
  }
}
