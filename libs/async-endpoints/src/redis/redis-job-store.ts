import { createHash } from 'node:crypto';
import type { Claim, JobRecord, NewJob } from '../job/job.js';
import * as lifecycle from '../job/lifecycle.js';
import { STORE_NOTICE, type StoreNotice } from '../observability/channels.js';
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
} from '../store/job-store.js';
import { Turns } from '../store/turns.js';
import { auditJobs, type Deviation } from './audit.js';
import { decode, encodeNew, oneLine } from './codec.js';
import type { Script } from './define-script.js';
import { RedisKeys } from './keys.js';
import { RedisChanges } from './redis-changes.js';
import type { RedisConnectionOptions } from './redis-client.js';
import { RedisConnections } from './redis-connections.js';
import { listJobs } from './redis-listing.js';
import { redisStats } from './redis-stats.js';
import { RedisWorkSignal } from './redis-work-signal.js';
import { cancelScript, recoverScript, rerunScript } from './scripts/change.lua.js';
import { claimScript } from './scripts/claim.lua.js';
import { findScript } from './scripts/find.lua.js';
import { overdueScript } from './scripts/overdue.lua.js';
import { purgeScript } from './scripts/purge.lua.js';
import { renewScript } from './scripts/renew.lua.js';
import { settleScript } from './scripts/settle.lua.js';
import { submitScript } from './scripts/submit.lua.js';

export interface RedisJobStoreOptions extends RedisConnectionOptions {
  /** What all keys begin with, so that applications can share a server. Default `ae`. */
  prefix?: string;
  /** The clock instead of Redis's own, in ms since the epoch: for tests. */
  now?: () => number;
}

/**
 * Many processes, one truth: jobs in Redis 6.2 or newer. Each verb is one script and so one atomic step, records and
 * indexes together, for the whole batch. `docs/redis-layout.md` says what is where.
 */
export class RedisJobStore implements JobStore {
  readonly #connections: RedisConnections;
  readonly #keys: RedisKeys;
  readonly #work: RedisWorkSignal;
  readonly #changes: RedisChanges;
  readonly #time: () => string;
  readonly #turns = new Turns();
  /** As of the last sweep: a script's keys must be known before it runs. */
  #knownNames: readonly string[] = [];

  constructor(options: RedisJobStoreOptions = {}) {
    const { prefix = 'ae', now } = options;
    this.#time = now ? () => String(now()) : () => '';
    this.#keys = new RedisKeys(prefix);
    this.#connections = new RedisConnections(options, (message) => this.#notify(message));
    this.#work = new RedisWorkSignal(this.#connections, this.#keys, this.#time);
    const find = async (ids: readonly string[]) => (await this.find(ids)).filter((job) => job !== null);
    this.#changes = new RedisChanges(this.#connections, this.#keys, find);
  }

  async open(): Promise<void> {
    await this.#connections.open();
    for (const message of await this.#connections.warnings()) this.#notify(message);
  }

  async close(): Promise<void> {
    await this.#work.close();
    await this.#connections.close();
  }

  async ping(): Promise<void> {
    await this.#connections.answer(this.#connections.commands.ping());
  }

  async submit(jobs: readonly NewJob[], { queueLimit }: { queueLimit: number }): Promise<Submission[]> {
    const names = distinct(jobs.map(({ name }) => name));
    const keyed = jobs.filter(({ idempotency }) => idempotency !== null);
    const keys = [this.#keys.names, ...keyed.map((job) => this.#keys.idempotency(scopeOf(job)))];
    const args = jobs.flatMap((job) => {
      const key = job.idempotency ? `${keyed.indexOf(job) + 1},${job.idempotency.retentionMs}` : ',';
      const head = `${names.indexOf(job.name) + 1},${job.delayMs},${job.priority},${job.queueLimit ?? ''},${key}`;
      return [head, job.id, encodeNew(job)];
    });
    const [now, ...replies] = await this.#run(submitScript, names, [queueLimit, names.length, ...args], keys);
    return replies.map((reply, index) => submissionOf(reply, jobs[index] as NewJob, Number(now)));
  }

  async claim({ worker, leaseMs, limit, slots }: ClaimRequest): Promise<Claim[]> {
    const names = this.#turns.rotate(slots.keys());
    const most = names.map((name) => slots.get(name) as number);
    const reply = await this.#run(claimScript, names, [leaseMs, limit, JSON.stringify(worker), ...most]);
    const claims: Claim[] = [];
    for (let at = 0; at < reply.length; at += 2) {
      const { job, input } = decode(reply[at] as string, reply[at + 1] as string);
      claims.push({ job, input, token: job.fence });
    }
    return claims;
  }

  async renew(renewals: readonly Renewal[]): Promise<RenewalReply[]> {
    const args = renewals.flatMap(({ id, token, leaseMs, progress }) => [
      id,
      token,
      leaseMs,
      progress ? JSON.stringify(progress) : '',
    ]);
    return (await this.#run(renewScript, [], args)) as RenewalReply[];
  }

  async settle(settlements: readonly lifecycle.Settlement[]): Promise<boolean[]> {
    const names = distinct(settlements.map(({ name }) => name));
    const args = settlements.flatMap((settlement) => [
      names.indexOf(settlement.name) + 1,
      settlement.id,
      settlement.token,
      settlement.verb,
      settlement.verb === 'retry' ? settlement.delayMs : '',
      valueOf(settlement),
    ]);
    return (await this.#run(settleScript, names, args)).map((reply) => reply === 1);
  }

  async cancel(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    return this.#change(cancelScript, ids, '');
  }

  async rerun(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    return this.#change(rerunScript, ids, '');
  }

  async recover({ limit, maxCrashes }: { limit: number; maxCrashes: number }): Promise<JobRecord[]> {
    const { leases, names } = this.#keys;
    const queues = this.#knownNames.flatMap((name) => [this.#keys.ready(name), this.#keys.wake(name)]);
    const overdue = overdueScript.run(this.#connections.commands, [leases, names, ...queues], [this.#time(), limit]);
    const [expired, known] = await this.#connections.answer(overdue);
    this.#knownNames = known;
    const recovered = await this.#change(recoverScript, expired, maxCrashes);
    return recovered.filter((job) => job !== null);
  }

  purge(limit: number): Promise<number> {
    return this.#run(purgeScript, [], [limit]);
  }

  find(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    return this.#find(ids);
  }

  async #find(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    if (ids.length === 0) return [];
    const texts = await this.#connections.answer(findScript.run(this.#connections.commands, [this.#keys.jobs], ids));
    return texts.map((text, index) => (text === null ? null : decode(ids[index] as string, text).job));
  }

  async list(filter: JobFilter, page: { limit: number; cursor?: string }): Promise<JobPage> {
    const now = Number(this.#time()) || (await this.#redisNow());
    return this.#connections.answer(listJobs(this.#connections.commands, this.#keys, filter, page, now));
  }

  stats(): Promise<QueueStats[]> {
    return this.#connections.answer(redisStats(this.#connections, this.#keys, this.#time()));
  }

  /**
   * Every job that is not in exactly the index its status says, every entry without a job and every wrong counter, in
   * words; nothing where all is well. Reads everything: for tests and operators.
   */
  audit(): Promise<Deviation[]> {
    return this.#connections.answer(auditJobs(this.#connections.commands, this.#keys));
  }

  watch(topic: Topic, listener: (change: JobChange) => void): Promise<() => void> {
    return this.#changes.watch(topic, listener);
  }

  waitForWork(names: readonly string[], signal: AbortSignal): Promise<void> {
    return this.#work.wait(names, signal);
  }

  #run<T>(script: Script<T>, names: readonly string[], args: (string | number)[], keys: string[] = []): Promise<T> {
    const queues = names.flatMap((name) => this.#keys.queue(name));
    const all = [...this.#keys.shared, ...queues, ...keys];
    return this.#connections.answer(
      script.run(this.#connections.commands, all, [this.#time(), this.#connections.announce, ...args]),
    );
  }

  /** A job's name never changes, so it may be read before the step that needs its queue's keys. */
  async #change(
    script: Script<(string | null)[]>,
    ids: readonly string[],
    maxCrashes: number | '',
  ): Promise<(JobRecord | null)[]> {
    if (ids.length === 0) return [];
    const found = await this.#find(ids);
    const names = distinct(found.flatMap((job) => (job ? [job.name] : [])));
    const args = ids.flatMap((id, index) => [names.indexOf(found[index]?.name ?? '') + 1, id]);
    const replies = await this.#run(script, names, [maxCrashes, ...args]);
    return replies.map((text, index) => (text === null ? null : decode(ids[index] as string, text).job));
  }

  #notify(message: string): void {
    STORE_NOTICE.publish({ store: this, message } satisfies StoreNotice);
  }

  async #redisNow(): Promise<number> {
    const [seconds, micros] = await this.#connections.answer(this.#connections.commands.time());
    return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
  }
}

function submissionOf(reply: string, job: NewJob, now: number): Submission {
  switch (reply) {
    case 'created':
      return { outcome: 'created', job: lifecycle.submit(job, now) };
    case 'refused total':
      return { outcome: 'refused', limit: 'total' };
    case 'refused name':
      return { outcome: 'refused', limit: 'name' };
    case 'conflict id':
      return { outcome: 'conflict', on: 'id' };
    case 'conflict key':
      return { outcome: 'conflict', on: 'key' };
    default: {
      const end = reply.indexOf('\n');
      return { outcome: 'existing', job: decode(reply.slice(0, end), reply.slice(end + 1)).job };
    }
  }
}

function valueOf(settlement: lifecycle.Settlement): string {
  if (settlement.verb === 'complete') return settlement.result === null ? '' : oneLine(settlement.result);
  return settlement.verb === 'release' ? '' : JSON.stringify(settlement.error);
}

/** A digest, because owners and keys are the client's, and key names are the operator's. */
function scopeOf({ owner, name, idempotency }: NewJob): string {
  return createHash('sha256')
    .update(JSON.stringify([owner, name, idempotency?.key]))
    .digest('base64url');
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)];
}
