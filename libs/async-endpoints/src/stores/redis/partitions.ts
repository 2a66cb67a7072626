import { createHmac } from 'node:crypto';
import { checkJobIds } from '../../job/job-id.js';
import type { Claim, NewJob } from '../../job/job.js';
import { Turns } from '../../store/fairness.js';
import type {
  ClaimRequest,
  JobFilter,
  JobPage,
  QueueLimits,
  Recovered,
  RecoverOptions,
  Submission,
} from '../../store/job-store.js';
import { isRejected, outcomesOf, repliesOf } from '../../store/parts.js';
import { scopeOf } from './batches.js';
import { mayHaveMore, type Share, shareOf } from './claim-shares.js';
import { listPartitions } from './listing.js';
import { checkPartitions } from './options.js';
import type { RedisPartition } from './partition.js';
import { RedisSweep } from './sweep.js';

/** Adding a secret later would hide all existing jobs. */
const CHOOSABLE =
  'Clients that choose their job ids choose a partition: if they may, set partitionSecret while there are no jobs.';

/**
 * Spreads jobs over partitions by their ids, and calls each partition for its jobs. With one partition it only forwards calls.
 */
export class Partitions {
  readonly all: readonly RedisPartition[];
  readonly #sweeps: readonly RedisSweep[];
  readonly #turns = new Turns();
  readonly #nameTurns = new Turns();
  #isToldOfSecret: boolean;

  constructor(
    count: number,
    private readonly secret: string | undefined,
    private readonly notify: (message: string) => void,
    create: (partition: number) => RedisPartition,
  ) {
    checkPartitions(count, secret);
    this.all = Array.from({ length: count }, (_, partition) => create(partition));
    this.#sweeps = this.all.map((partition) => new RedisSweep(partition));
    this.#isToldOfSecret = secret !== undefined;
  }

  /**
   * Calls each partition with its items, and returns the replies in the order of all items.
   *
   * @throws PartialBatchError when only some partitions reply
   */
  async each<TItem, TReply>(
    items: readonly TItem[],
    idOf: (item: TItem) => string,
    ask: (partition: RedisPartition, items: readonly TItem[]) => Promise<TReply[]>,
  ): Promise<TReply[]> {
    if (items.length === 0) return [];
    if (this.all.length === 1) return ask(this.all[0] as RedisPartition, items);
    return repliesOf(await this.#outcomes(items, idOf, ask));
  }

  /**
   * An idempotency key and its job may be in different partitions. Then the key is assigned to an id first, and the job of that
   * id decides.
   */
  async submit(jobs: readonly NewJob[], limits: QueueLimits): Promise<Submission[]> {
    checkJobIds(jobs);
    if (this.all.length === 1) return (this.all[0] as RedisPartition).submit(jobs, limits);
    if (!this.#isToldOfSecret) this.notify(CHOOSABLE);
    this.#isToldOfSecret = true;
    const share = (limit: number | null | undefined) => (limit == null ? null : Math.ceil(limit / this.all.length));
    const ids = await Promise.allSettled(jobs.map((job) => this.#idOf(job)));
    const unkeyed = jobs.flatMap((job, index) => {
      const id = ids[index] as PromiseSettledResult<string>;
      const own = { queueLimit: share(job.queueLimit), queueBytes: share(job.queueBytes) };
      return isRejected(id) ? [] : { ...job, ...own, id: id.value, idempotency: null };
    });
    const all = { queueLimit: share(limits.queueLimit) as number, queueBytes: share(limits.queueBytes) };
    const ask = (partition: RedisPartition, some: readonly NewJob[]) => partition.submit(some, all);
    const submitted = (await this.#outcomes(unkeyed, ({ id }) => id, ask)).values();
    return repliesOf(
      ids.map((id, index): PromiseSettledResult<Submission> => {
        if (isRejected(id)) return id;
        const outcome = submitted.next().value as PromiseSettledResult<Submission>;
        const isOfKey = !isRejected(outcome) && outcome.value.outcome === 'conflict' && id.value !== jobs[index]?.id;
        return isOfKey ? { status: 'fulfilled', value: { outcome: 'conflict', on: 'key' } } : outcome;
      }),
    );
  }

  /**
   * Requests an equal share from all partitions at once, then more from those that may have more, one after the other. The claims
   * of some partitions are returned even when others fail, because no other worker would run them.
   */
  async claim(request: ClaimRequest): Promise<Claim[]> {
    const names = this.#nameTurns.rotate(request.slots.keys());
    const left = new Map(names.map((name) => [name, request.slots.get(name) as number]));
    const take = async (partition: RedisPartition, limit: number, slots: Map<string, number>) => {
      if (limit === 0 || slots.size === 0) return [];
      const claims = await partition.claim({ ...request, limit, slots });
      for (const { job } of claims) left.set(job.name, (left.get(job.name) as number) - 1);
      return claims;
    };
    if (this.all.length === 1) return take(this.all[0] as RedisPartition, request.limit, left);
    const inTurn = this.#turns.rotate(this.all);
    const shares = inTurn.map((_, turn) => shareOf(turn, inTurn.length, request.limit, left));
    const taken = await Promise.allSettled(
      shares.map(({ limit, slots }, turn) => take(inTurn[turn] as RedisPartition, limit, slots)),
    );
    const claims = taken.flatMap((one) => (isRejected(one) ? [] : one.value));
    for (const [turn, partition] of inTurn.entries()) {
      const limit = request.limit - claims.length;
      const slots = new Map([...left].filter(([, most]) => most > 0));
      if (limit === 0 || slots.size === 0) break;
      const first = taken[turn] as PromiseSettledResult<Claim[]>;
      if (isRejected(first) || !mayHaveMore(first.value, shares[turn] as Share, names.length)) continue;
      claims.push(...(await take(partition, limit, slots).catch(() => [])));
    }
    return claims.length > 0 ? claims : repliesOf(taken).flat();
  }

  async recover({ limit, ...options }: RecoverOptions): Promise<Recovered[]> {
    return this.#sweep(limit, (sweep, left) => sweep.recover({ ...options, limit: left }));
  }

  async purge(limit: number): Promise<string[]> {
    return this.#sweep(limit, (sweep, left) => sweep.purge(left));
  }

  list(filter: JobFilter, page: { limit: number; cursor?: string }): Promise<JobPage> {
    return listPartitions(this.all, filter, page);
  }

  /**
   * Calls one partition after the other until `limit` jobs are found. A partition that does not reply does not stop the others.
   * Its error is thrown when no other partition found anything.
   */
  async #sweep<T>(limit: number, step: (sweep: RedisSweep, left: number) => Promise<T[]>): Promise<T[]> {
    const [found, failures]: [T[], unknown[]] = [[], []];
    let left = limit;
    for (const sweep of this.#turns.rotate(this.#sweeps)) {
      if (left === 0) break;
      try {
        const some = await step(sweep, left);
        found.push(...some);
        left -= some.length;
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0 && left === limit) throw failures[0];
    return found;
  }

  async #outcomes<TItem, TReply>(
    items: readonly TItem[],
    idOf: (item: TItem) => string,
    ask: (partition: RedisPartition, items: readonly TItem[]) => Promise<TReply[]>,
  ): Promise<readonly PromiseSettledResult<TReply>[]> {
    const shares = new Map<RedisPartition, number[]>();
    for (const [index, item] of items.entries()) {
      const partition = this.of(idOf(item));
      const share = shares.get(partition);
      if (share) share.push(index);
      else shares.set(partition, [index]);
    }
    const outcomes: PromiseSettledResult<TReply>[] = [];
    await Promise.all(
      [...shares].map(async ([partition, indexes]) => {
        const share = indexes.map((index) => items[index] as TItem);
        const some = await outcomesOf(ask(partition, share), share.length);
        indexes.forEach((index, at) => (outcomes[index] = some[at] as PromiseSettledResult<TReply>));
      }),
    );
    return outcomes;
  }

  async #idOf(job: NewJob): Promise<string> {
    return job.idempotency ? this.of(scopeOf(job)).reserve(job) : job.id;
  }

  /** The partition of a job id, or of the scope of an idempotency key. */
  of(text: string): RedisPartition {
    const number = this.secret === undefined ? hash(text) : keyedHash(text, this.secret);
    return this.all[number % this.all.length] as RedisPartition;
  }
}

/** FNV-1a. It is part of the stored form, because it determines the partition of a job. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return value;
}

/** HMAC-SHA-256, whose result cannot be chosen without the secret. */
function keyedHash(text: string, secret: string): number {
  return createHmac('sha256', secret).update(text).digest().readUInt32BE();
}
