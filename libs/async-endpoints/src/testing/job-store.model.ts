import { type Claim, isTerminal, isWaiting, type JobRecord, type JobStatus, type NewJob } from '../job/job.js';
import * as lifecycle from '../job/lifecycle.js';
import { pausedAndEmpty } from '../store/queue-stats.js';
import { matches } from '../store/listing.js';
import type {
  ClaimRequest,
  JobFilter,
  PausedQueue,
  QueueStats,
  Recovered,
  Renewal,
  RenewalReply,
  Submission,
} from '../store/job-store.js';

interface Held {
  record: JobRecord;
  readonly payload: string;
}

/**
 * The simplest implementation of a job store: the pure lifecycle over a list. It is slow. Tests compare the replies of other
 * stores with its replies.
 */
export class JobStoreModel {
  now = 1_000_000;

  /** @param agingMs how long a job must wait to rank one step of priority higher */
  constructor(private readonly agingMs = 60_000) {}
  /** In order of submission. */
  jobs: Held[] = [];
  keys: { scope: string; id: string; expiresAt: number }[] = [];
  paused: PausedQueue[] = [];
  /** Every claim so far, to settle and renew with stale fences. */
  readonly claims: { id: string; name: string; fence: number }[] = [];

  submit(jobs: readonly NewJob[], limits: { queueLimit: number }): Submission[] {
    return jobs.map((job) => this.#submit(job, limits.queueLimit));
  }

  #submit(job: NewJob, queueLimit: number): Submission {
    const scope = JSON.stringify([job.owner, job.name, job.idempotency?.key]);
    const key = job.idempotency && this.keys.find((one) => one.scope === scope && one.expiresAt > this.now);
    const keyed = key ? this.#find(key.id) : undefined;
    const known = (keyed ?? this.#find(job.id))?.record;
    if (known) {
      const { name, owner, fingerprint } = known;
      const same = fingerprint !== null && fingerprint === job.fingerprint && name === job.name && owner === job.owner;
      return same ? { outcome: 'existing', job: known } : { outcome: 'conflict', on: keyed ? 'key' : 'id' };
    }
    const waiting = this.jobs.filter(({ record }) => isWaiting(record.status));
    if (waiting.length >= queueLimit) return { outcome: 'refused', limit: 'total' };
    const ofName = waiting.filter(({ record }) => record.name === job.name).length;
    if (job.queueLimit !== null && ofName >= job.queueLimit) return { outcome: 'refused', limit: 'name' };
    const record = lifecycle.submit(job, this.now);
    this.jobs.push({ record, payload: job.payload });
    if (job.idempotency) {
      this.keys = this.keys.filter((one) => one.scope !== scope);
      this.keys.push({ scope, id: job.id, expiresAt: this.now + job.idempotency.retentionMs });
    }
    return { outcome: 'created', job: record };
  }

  /** Claims jobs of one name. The model does not define how names take turns. */
  claim(request: ClaimRequest): Claim[] {
    const claims: Claim[] = [];
    for (const [name, slots] of request.slots) {
      if (this.#isPaused(name)) continue;
      const ready = this.jobs
        .filter(({ record }) => record.name === name && lifecycle.allows('claim', record.status))
        .filter(({ record }) => record.scheduledAt <= this.now)
        .toSorted((a, b) => this.#placeOf(a) - this.#placeOf(b) || b.record.priority - a.record.priority);
      for (const held of ready.slice(0, Math.min(slots, request.limit - claims.length))) {
        held.record = lifecycle.claim(held.record, request, this.now);
        claims.push({ job: held.record, payload: held.payload, fence: held.record.fence });
        this.claims.push({ id: held.record.id, name, fence: held.record.fence });
      }
    }
    return claims;
  }

  #placeOf({ record }: Held): number {
    return record.scheduledAt - record.priority * this.agingMs;
  }

  renew(renewals: readonly Renewal[]): RenewalReply[] {
    return renewals.map((renewal) => {
      const held = this.#find(renewal.id);
      if (held?.record.status === 'Canceled') return 'canceled';
      if (held?.record.status !== 'InProgress' || held.record.fence !== renewal.fence) return 'lost';
      held.record = lifecycle.renew(held.record, renewal, this.now);
      return 'held';
    });
  }

  settle(settlements: readonly lifecycle.Settlement[]): boolean[] {
    return settlements.map((settlement) => {
      const held = this.#find(settlement.id);
      if (held?.record.fence !== settlement.fence || held.record.name !== settlement.name) return false;
      if (held.record.status === 'InProgress') held.record = lifecycle.settle(held.record, settlement, this.now);
      return true;
    });
  }

  cancel(ids: readonly string[]): (JobRecord | null)[] {
    const isCancelable = (job: JobRecord) => lifecycle.allows('cancel', job.status);
    return this.#each(ids, isCancelable, (job) => lifecycle.cancel(job, this.now));
  }

  rerun(ids: readonly string[], runningForMs?: number): (JobRecord | null)[] {
    const isRerunnable = ({ status, startedAt }: JobRecord) => {
      if (runningForMs === undefined) return status === 'Failed' || status === 'Canceled';
      return status === 'InProgress' && this.now - (startedAt as number) >= runningForMs;
    };
    return this.#each(ids, isRerunnable, (job) => lifecycle.rerun(job, this.now));
  }

  recover(options: { limit: number; maxCrashes: number }): Recovered[] {
    const expired = this.jobs
      .filter(({ record }) => record.status === 'InProgress' && (record.leaseUntil as number) <= this.now)
      .toSorted((a, b) => (a.record.leaseUntil as number) - (b.record.leaseUntil as number));
    return expired.slice(0, options.limit).map((held) => {
      const { worker, leaseUntil } = held.record;
      held.record = lifecycle.recover(held.record, options, this.now);
      return { job: held.record, worker: worker as string, leaseUntil: leaseUntil as number };
    });
  }

  purge(limit: number): string[] {
    const due = this.jobs
      .filter(({ record }) => (lifecycle.purgeableAt(record) ?? Infinity) <= this.now)
      .toSorted((a, b) => (lifecycle.purgeableAt(a.record) ?? 0) - (lifecycle.purgeableAt(b.record) ?? 0))
      .slice(0, limit);
    this.jobs = this.jobs.filter((held) => !due.includes(held));
    return due.map(({ record }) => record.id);
  }

  find(ids: readonly string[]): (JobRecord | null)[] {
    return ids.map((id) => this.#find(id)?.record ?? null);
  }

  /** In the order of submission. */
  list(filter: JobFilter): JobRecord[] {
    return this.jobs.map(({ record }) => record).filter((job) => matches(job, filter, this.now));
  }

  pause(name: string, pausedBy: string | null): void {
    if (this.#isPaused(name)) return;
    this.paused.push({ name, pausedAt: this.now, pausedBy });
    this.paused.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  resume(name: string): void {
    this.paused = this.paused.filter((queue) => queue.name !== name);
  }

  #isPaused(name: string): boolean {
    return this.paused.some((queue) => queue.name === name);
  }

  /** Without bytes, which depend on the store. */
  stats(): QueueStats[] {
    const groups = new Map<string, JobRecord[]>();
    for (const { record } of this.jobs) {
      const key = `${record.name} ${record.status}`;
      groups.set(key, [...(groups.get(key) ?? []), record]);
    }
    const stats = [...groups.values()].map((records): QueueStats => {
      const { name, status } = records[0] as JobRecord;
      const oldestAgeMs = this.#oldestAgeMs(name, status);
      return { name, status, count: records.length, bytes: null, oldestAgeMs, isPaused: this.#isPaused(name) };
    });
    const empty = this.paused.filter(({ name }) => !groups.has(`${name} Queued`));
    return [...stats, ...empty.map(({ name }) => ({ ...pausedAndEmpty(name), bytes: null }))];
  }

  #oldestAgeMs(name: string, status: JobStatus): number | null {
    if (isTerminal(status)) return null;
    const records = this.jobs.map(({ record }) => record).filter((record) => record.name === name);
    if (status === 'InProgress') {
      const started = records.filter((record) => record.status === status).map(({ startedAt }) => startedAt as number);
      return this.now - Math.min(...started);
    }
    const waiting = records.filter((record) => isWaiting(record.status));
    return Math.max(this.now - Math.min(...waiting.map(({ scheduledAt }) => scheduledAt)), 0);
  }

  #find(id: string): Held | undefined {
    return this.jobs.find(({ record }) => record.id === id);
  }

  #each(ids: readonly string[], isChanged: (job: JobRecord) => boolean, change: (job: JobRecord) => JobRecord) {
    return ids.map((id) => {
      const held = this.#find(id);
      if (held && isChanged(held.record)) held.record = change(held.record);
      return held?.record ?? null;
    });
  }
}
