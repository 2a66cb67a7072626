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
import type { OwnedId } from '../../store/loops.js';
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

/** Where a partition is, and whom it tells what an operator should know. */
export interface Place {
  readonly prefix: string;
  readonly partition: number;
  /** How many there are. */
  readonly partitions: number;
  readonly channels: RedisChannels;
  readonly priorityAgingMs: number;
  /** Of what its records are that cannot be read. */
  readonly unreadable: Unreadable;
  notify(message: string): void;
}

/** Jobs whose keys share one slot of a cluster. Each verb is one script and so one atomic step, for the whole batch. */
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

  /** Resolves when Redis accepts changes. Writing to a key only if it exists changes nothing, and is refused all the same. */
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
      this.place.notify(`The queue named ${dropped} jobs that do not wait in it, and forgot them: audit it`);
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

  /** As `find`; a job of another owner is null, and its record stays where it is. */
  async findOwned(jobs: readonly OwnedId[]): Promise<(JobRecord | null)[]> {
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

  /** The id that an idempotency key stands for, from now on if it did not stand for one. */
  async reserve(job: NewJob): Promise<string> {
    const { retentionMs } = job.idempotency as { retentionMs: number };
    const key = this.keys.idempotency(scopeOf(job));
    return this.connections.answer(reserveScript.run(this.client, [key], [this.time(), job.id, retentionMs]));
  }

  /** How long until something of these names can be claimed, in ms; 0 where it can be now, -1 where nothing waits. */
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

  /** A script that changes jobs, with what all of those need. */
  run<T>(script: Script<T>, names: readonly string[], args: Argument[], keys: string[] = []): Promise<T> {
    const context = [this.time(), this.connections.announce, this.place.channels.prefix];
    return this.connections.answer(script.run(this.client, [...this.keysOf(names), ...keys], [...context, ...args]));
  }

  /**
   * For each job two replies, as the script says. A job's name never changes, so it may be read before the step that needs its
   * queue's keys.
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
