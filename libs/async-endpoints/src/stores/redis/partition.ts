import type { Claim, JobRecord, NewJob } from '../../job/job.js';
import * as lifecycle from '../../job/lifecycle.js';
import type {
  ClaimRequest,
  QueueLimits,
  Renewal,
  RenewalReply,
  RerunOptions,
  Submission,
} from '../../store/job-store.js';
import { inParts, sizeOfSettlement } from '../../store/parts.js';
import { declined, distinct, inPairs, scopeOf, settleArguments, submitArguments } from './batches.js';
import { claimed, decode, encodeOwner } from './codec.js';
import type { RedisConnections } from './connections.js';
import { type RedisChannels, RedisKeys } from './keys.js';
import { cancelScript } from './scripts/cancel.lua.js';
import { claimScript } from './scripts/claim.lua.js';
import type { Argument, RedisClient, Script } from './scripts/define-script.js';
import { findOwnedScript, findScript } from './scripts/find.lua.js';
import { agesScript, dueScript } from './scripts/queue-times.lua.js';
import { renewScript } from './scripts/renew.lua.js';
import { rerunScript } from './scripts/rerun.lua.js';
import { reserveScript } from './scripts/reserve.lua.js';
import { settleScript } from './scripts/settle.lua.js';
import { submitScript } from './scripts/submit.lua.js';
import type { Unreadable } from './unreadable.js';
import { WakeTokens } from './wake-tokens.js';

/** The position of a partition, and what it needs from the store. */
export interface Place {
  readonly prefix: string;
  readonly partition: number;
  /** The number of partitions. */
  readonly partitions: number;
  readonly channels: RedisChannels;
  readonly priorityAgingMs: number;
  /** Counts and reports records that cannot be read. */
  readonly unreadable: Unreadable;
  notify(message: string): void;
}

/** The jobs whose keys share one slot of a cluster. Each verb is one script, so the whole batch is one atomic step. */
export class RedisPartition {
  readonly keys: RedisKeys;
  readonly tokens: WakeTokens;

  constructor(
    readonly connections: RedisConnections,
    readonly place: Place,
    readonly time: () => string,
  ) {
    this.keys = new RedisKeys(place.prefix, place.partition);
    this.tokens = new WakeTokens(connections, place);
  }

  get client(): RedisClient {
    return this.connections.commands;
  }

  /**
   * Resolves when Redis accepts changes. It writes to a key only if the key exists, which changes nothing but is refused when
   * Redis accepts no writes.
   */
  async probe(): Promise<void> {
    await this.connections.answer(this.client.set(this.keys.probe, '', 'XX'));
    this.connections.refusals.accepted();
  }

  submit(jobs: readonly NewJob[], limits: QueueLimits): Promise<Submission[]> {
    return inParts(
      jobs,
      ({ payload }) => payload.length,
      (part) => this.#submitPart(part, limits),
    );
  }

  async #submitPart(jobs: readonly NewJob[], { queueLimit, queueBytes }: QueueLimits): Promise<Submission[]> {
    const names = distinct(jobs.map(({ name }) => name));
    const keyed = jobs.filter(({ idempotency }) => idempotency !== null);
    const keys = [this.keys.names, ...keyed.map((job) => this.keys.idempotency(scopeOf(job)))];
    const args = submitArguments(jobs, names, keyed);
    const [now, count, ...others] = await this.run(
      submitScript,
      names,
      [queueLimit, queueBytes ?? '', names.length, jobs.length, ...args],
      keys,
    );
    this.connections.refusals.accepted();
    const answered = count === jobs.length ? jobs : jobs.slice(0, count);
    const submissions = answered.map((job): Submission => ({
      outcome: 'created',
      job: lifecycle.submit(job, Number(now)),
    }));
    for (let at = 0; at < others.length; at += 2) {
      submissions[Number(others[at]) - 1] = declined(others[at + 1] as string | string[], this.place.unreadable);
    }
    this.tokens.put(names);
    return submissions;
  }

  async claim({ worker, leaseMs, limit, slots }: ClaimRequest): Promise<Claim[]> {
    const names = [...slots.keys()];
    const args = [leaseMs, limit, this.place.priorityAgingMs, JSON.stringify(worker), ...slots.values()];
    const reply = await this.run(claimScript, names, args);
    const [now, dropped] = reply;
    if (dropped > 0)
      this.place.notify(`${dropped} queue entries of jobs that do not wait in the queue were dropped: run an audit`);
    const claims: Claim[] = [];
    const by = { worker, leaseMs };
    const time = Number(now);
    const claimOf = (id: string, text: string) => claimed(id, text, by, time);
    for (let at = 2; at < reply.length; at += 2) {
      const claim = this.place.unreadable.orNull(reply[at] as string, reply[at + 1] as string, claimOf);
      if (claim) claims.push(claim);
    }
    if (claims.length === limit) this.tokens.put(names);
    return claims;
  }

  async renew(renewals: readonly Renewal[]): Promise<RenewalReply[]> {
    const args = renewals.flatMap(({ id, fence, leaseMs, progress }) => [
      id,
      fence,
      leaseMs,
      progress ? JSON.stringify(progress) : '',
    ]);
    return (await this.run(renewScript, [], args)) as RenewalReply[];
  }

  async settle(settlements: readonly lifecycle.Settlement[]): Promise<boolean[]> {
    const replies = await inParts(settlements, sizeOfSettlement, (part) => {
      const names = distinct(part.map(({ name }) => name));
      return this.run(settleScript, names, settleArguments(part, names));
    });
    this.tokens.put(settlements.filter(({ verb }) => verb === 'retry' || verb === 'release').map(({ name }) => name));
    return replies.map((reply) => reply === 1);
  }

  async cancel(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    return this.place.unreadable.readAll(ids, await this.change(cancelScript, ids));
  }

  async rerun(ids: readonly string[], { runningForMs }: RerunOptions): Promise<(JobRecord | null)[]> {
    return this.place.unreadable.readAll(ids, await this.change(rerunScript, ids, [runningForMs ?? '']));
  }

  async find(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    if (ids.length === 0) return [];
    const keys = [this.keys.jobs, this.keys.claims];
    const replies = await inPairs(ids, (some) => this.connections.answer(findScript.run(this.client, keys, some)));
    return this.place.unreadable.readAll(ids, replies);
  }

  /** Like `find`, but returns null for a job of another owner and does not read its record. */
  async findOwned(jobs: readonly Pick<JobRecord, 'id' | 'owner'>[]): Promise<(JobRecord | null)[]> {
    const [ids, keys] = [jobs.map(({ id }) => id), [this.keys.jobs, this.keys.claims]];
    const replies = await inPairs(ids, (some, from) => {
      const args = [...some, ...jobs.slice(from).map(({ owner }) => encodeOwner(owner))];
      return this.connections.answer(findOwnedScript.run(this.client, keys, args));
    });
    return this.place.unreadable.readAll(ids, replies);
  }

  async payload(id: string): Promise<string | null> {
    const [text] = await this.connections.answer(this.client.hmget(this.keys.jobs, id));
    return (text && this.place.unreadable.orNull(id, text, () => decode(id, text, '').payload)) || null;
  }

  /** The job id of an idempotency key. Assigns the id of this job when the key has none. */
  async reserve(job: NewJob): Promise<string> {
    const { retentionMs } = job.idempotency as { retentionMs: number };
    const key = this.keys.idempotency(scopeOf(job));
    return this.connections.answer(reserveScript.run(this.client, [key], [this.time(), job.id, retentionMs]));
  }

  /** How long until a job of these names is claimable, in ms; 0 for now, -1 when no job waits. */
  due(names: readonly string[]): Promise<number> {
    return this.connections.answer(dueScript.run(this.client, this.keysOf(names), [this.time()]));
  }

  /** The store's clock, in ms since the epoch. */
  async now(): Promise<number> {
    const [now] = await this.connections.answer(agesScript.run(this.client, this.keys.shared, [this.time()]));
    return Number(now);
  }

  keysOf(names: readonly string[]): string[] {
    return [...this.keys.shared, ...names.flatMap((name) => this.keys.queue(name))];
  }

  /** Runs a script that changes jobs, with the common keys and arguments. */
  run<T>(script: Script<T>, names: readonly string[], args: Argument[], keys: string[] = []): Promise<T> {
    const context = [this.time(), this.connections.announce, this.place.channels.prefix];
    return this.connections.answer(script.run(this.client, [...this.keysOf(names), ...keys], [...context, ...args]));
  }

  /**
   * Returns two replies for each job, as the script defines them. The name of a job never changes, so it can be read in an
   * earlier step, to find the keys of its queue.
   */
  async change(script: Script<string[]>, ids: readonly string[], own: readonly Argument[] = []): Promise<string[]> {
    if (ids.length === 0) return [];
    const found = await this.find(ids);
    const names = distinct(found.flatMap((job) => (job ? [job.name] : [])));
    const queues = found.map((job) => names.indexOf(job?.name ?? '') + 1);
    const replies = await inPairs(ids, (some, from) => {
      const args = some.flatMap((id, index) => [queues[from + index] as number, id]);
      return this.run(script, names, [...own, ...args]);
    });
    if (script !== cancelScript) this.tokens.put(names);
    return replies;
  }
}
