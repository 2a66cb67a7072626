import type { Claim, JobRecord, NewJob } from '../job/job.js';
import * as lifecycle from '../job/lifecycle.js';
import type { ClaimRequest, Renewal, RenewalReply, Submission } from '../store/job-store.js';
import { declined, scopeOf, settleArguments, submitArguments } from './batches.js';
import { claimed, decodeAll } from './codec.js';
import type { RedisClient, Script } from './define-script.js';
import { type RedisChannels, RedisKeys } from './keys.js';
import type { RedisConnections } from './redis-connections.js';
import { cancelScript, recoverScript, rerunScript } from './scripts/change.lua.js';
import { claimScript } from './scripts/claim.lua.js';
import { findScript } from './scripts/find.lua.js';
import { dueScript } from './scripts/look.lua.js';
import { overdueScript } from './scripts/overdue.lua.js';
import { purgeScript } from './scripts/purge.lua.js';
import { renewScript } from './scripts/renew.lua.js';
import { settleScript } from './scripts/settle.lua.js';
import { reserveScript } from './scripts/reserve.lua.js';
import { submitScript } from './scripts/submit.lua.js';

/** Where a partition is, and whom it tells what an operator should know. */
export interface Place {
  readonly prefix: string;
  readonly partition: number;
  readonly channels: RedisChannels;
  notify(message: string): void;
}

/** Jobs whose keys share one slot of a cluster. Each verb is one script and so one atomic step, for the whole batch. */
export class RedisPartition {
  readonly keys: RedisKeys;
  /** As of the last sweep: a script's keys must be known before it runs. */
  #knownNames: readonly string[] = [];

  constructor(
    private readonly connections: RedisConnections,
    private readonly place: Place,
    readonly time: () => string,
  ) {
    this.keys = new RedisKeys(place.prefix, place.partition);
  }

  get client(): RedisClient {
    return this.connections.commands;
  }

  async submit(jobs: readonly NewJob[], queueLimit: number): Promise<Submission[]> {
    const names = distinct(jobs.map(({ name }) => name));
    const keyed = jobs.filter(({ idempotency }) => idempotency !== null);
    const keys = [this.keys.names, ...keyed.map((job) => this.keys.idempotency(scopeOf(job)))];
    const args = submitArguments(jobs, names, keyed);
    const [now, ...others] = await this.#run(
      submitScript,
      names,
      [queueLimit, names.length, jobs.length, ...args],
      keys,
    );
    const submissions = jobs.map((job): Submission => ({
      outcome: 'created',
      job: lifecycle.submit(job, Number(now)),
    }));
    for (let at = 0; at < others.length; at += 2) {
      submissions[Number(others[at]) - 1] = declined(others[at + 1] as string | string[]);
    }
    this.#tell(names);
    return submissions;
  }

  async claim({ worker, leaseMs, limit, slots }: ClaimRequest): Promise<Claim[]> {
    const names = [...slots.keys()];
    const args = [leaseMs, limit, JSON.stringify(worker), ...slots.values()];
    const reply = await this.#run(claimScript, names, args);
    const [now, dropped] = reply;
    if (dropped > 0)
      this.place.notify(`The queue named ${dropped} jobs that do not wait in it, and forgot them: audit it`);
    const claims: Claim[] = [];
    for (let at = 2; at < reply.length; at += 2) {
      claims.push(claimed(reply[at] as string, reply[at + 1] as string, { worker, leaseMs }, Number(now)));
    }
    if (claims.length === limit) this.#tell(names);
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
    const args = settleArguments(settlements, names);
    const replies = await this.#run(settleScript, names, args);
    this.#tell(settlements.filter(({ verb }) => verb === 'retry' || verb === 'release').map(({ name }) => name));
    return replies.map((reply) => reply === 1);
  }

  cancel(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    return this.#change(cancelScript, ids, '');
  }

  rerun(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    return this.#change(rerunScript, ids, '');
  }

  async recover({ limit, maxCrashes }: { limit: number; maxCrashes: number }): Promise<JobRecord[]> {
    const recovered: JobRecord[] = [];
    for (let more = true; more && recovered.length < limit;) {
      const { ids, mended, ...overdue } = await this.#overdue(limit - recovered.length);
      const jobs = (await this.#change(recoverScript, ids, maxCrashes)).filter((job) => job !== null);
      recovered.push(...jobs);
      more = overdue.more && mended + jobs.length > 0;
    }
    return recovered;
  }

  async purge(limit: number): Promise<number> {
    let [purged, more] = await this.#run(purgeScript, [], [limit]);
    while (more === 1) [, more] = await this.#run(purgeScript, [], [0]);
    return purged;
  }

  async find(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    if (ids.length === 0) return [];
    const replies = await this.connections.answer(findScript.run(this.client, [this.keys.jobs, this.keys.claims], ids));
    return decodeAll(ids, replies);
  }

  /** The id that an idempotency key stands for, from now on if it did not stand for one. */
  async reserve(job: NewJob): Promise<string> {
    const { retentionMs } = job.idempotency as { retentionMs: number };
    const key = this.keys.idempotency(scopeOf(job));
    return this.connections.answer(reserveScript.run(this.client, [key], [this.time(), job.id, retentionMs]));
  }

  /** How long until something of these names can be claimed, in ms; 0 where it can be now, -1 where nothing waits. */
  due(names: readonly string[]): Promise<number> {
    return this.connections.answer(dueScript.run(this.client, this.#keysOf(names), [this.time()]));
  }

  /** The clock of the server, in ms since the epoch. */
  async now(): Promise<number> {
    const given = this.time();
    if (given !== '') return Number(given);
    const [seconds, micros] = await this.connections.answer(this.client.time());
    return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
  }

  /**
   * Workers block on the tokens of the first partition, because no connection can wait in two slots at once. What
   * happened in another one is told there, in a step of its own: should that be lost, there is the poll.
   */
  #tell(names: Iterable<string>): void {
    if (this.place.partition === 0) return;
    const first = new RedisKeys(this.place.prefix, 0);
    for (const name of new Set(names)) this.client.zadd(first.wake(name), 0, '0').catch(() => {});
  }

  async #overdue(limit: number): Promise<{ ids: string[]; mended: number; more: boolean }> {
    const keys = [...this.#keysOf(this.#knownNames), this.keys.names];
    const overdue = overdueScript.run(this.client, keys, [this.time(), limit]);
    const [ids, names, dropped, forgotten, more] = await this.connections.answer(overdue);
    this.#knownNames = names;
    if (forgotten > 0) this.place.notify(`${forgotten} claims were of jobs that are gone, and are forgotten: audit it`);
    return { ids, mended: dropped + forgotten, more: more === 1 };
  }

  #keysOf(names: readonly string[]): string[] {
    return [...this.keys.shared, ...names.flatMap((name) => this.keys.queue(name))];
  }

  #run<T>(script: Script<T>, names: readonly string[], args: (string | number)[], keys: string[] = []): Promise<T> {
    const context = [this.time(), this.connections.announce, this.place.channels.prefix];
    return this.connections.answer(script.run(this.client, [...this.#keysOf(names), ...keys], [...context, ...args]));
  }

  /** A job's name never changes, so it may be read before the step that needs its queue's keys. */
  async #change(
    script: Script<string[]>,
    ids: readonly string[],
    maxCrashes: number | '',
  ): Promise<(JobRecord | null)[]> {
    if (ids.length === 0) return [];
    const found = await this.find(ids);
    const names = distinct(found.flatMap((job) => (job ? [job.name] : [])));
    const args = ids.flatMap((id, index) => [names.indexOf(found[index]?.name ?? '') + 1, id]);
    const replies = await this.#run(script, names, [maxCrashes, ...args]);
    if (script !== cancelScript) this.#tell(names);
    return decodeAll(ids, replies);
  }
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)];
}
