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

/** A secret that comes later finds no job of before. */
const CHOOSABLE =
  'Clients that choose their job ids choose a partition: if they may, set partitionSecret while there are no jobs.';

/** Spreads jobs over partitions by their ids, and asks each what concerns it. With one partition it only passes on. */
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
   * Asks each partition for its items, and answers in the order of all.
   *
   * @throws PartialBatchError where only some partitions answer
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

  /** A key may be in another partition than its job: then it is made to stand for an id first, and the id decides. */
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
   * All are asked for an equal share at once; then, one after the other, those that may have more. What some have given counts,
   * whether or not others answer: nobody else would run it.
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
   * One partition after the other, until so many jobs are found. A partition that does not answer keeps none of the others
   * from its turn; where no other has found anything, its error is that of all.
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

  /** The partition of a job id, or of the scope of a key. */
  of(text: string): RedisPartition {
    const number = this.secret === undefined ? hash(text) : keyedHash(text, this.secret);
    return this.all[number % this.all.length] as RedisPartition;
  }
}

/** FNV-1a: part of the stored form, because it says where a job is. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return value;
}

/** HMAC-SHA-256, of which nobody without the secret can choose the outcome. */
function keyedHash(text: string, secret: string): number {
  return createHmac('sha256', secret).update(text).digest().readUInt32BE();
}
