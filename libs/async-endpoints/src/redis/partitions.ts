import { AsyncEndpointsError } from '../job/errors.js';
import type { Claim, JobRecord, NewJob } from '../job/job.js';
import { decodeCursor, encodeCursor } from '../store/cursor.js';
import type { ClaimRequest, JobFilter, JobPage, Submission } from '../store/job-store.js';
import { Turns } from '../store/turns.js';
import { scopeOf } from './batches.js';
import { listJobs } from './redis-listing.js';
import type { RedisPartition } from './redis-partition.js';

const MOST = 256;

/** Spreads jobs over partitions by their ids, and asks each what concerns it. With one partition it only passes on. */
export class Partitions {
  readonly all: readonly RedisPartition[];
  readonly #turns = new Turns();
  readonly #nameTurns = new Turns();

  constructor(count: number, create: (partition: number) => RedisPartition) {
    if (!Number.isInteger(count) || count < 1 || count > MOST) {
      throw new AsyncEndpointsError('INVALID_OPTION', `partitions is ${count}; expected an integer from 1 to ${MOST}.`);
    }
    this.all = Array.from({ length: count }, (_, partition) => create(partition));
  }

  /** Asks each partition for its items, and answers in the order of all. */
  async each<TItem, TReply>(
    items: readonly TItem[],
    idOf: (item: TItem) => string,
    ask: (partition: RedisPartition, items: readonly TItem[]) => Promise<TReply[]>,
  ): Promise<TReply[]> {
    if (items.length === 0) return [];
    if (this.all.length === 1) return ask(this.all[0] as RedisPartition, items);
    const shares = new Map<RedisPartition, number[]>();
    for (const [index, item] of items.entries()) {
      const partition = this.#of(idOf(item));
      const share = shares.get(partition);
      if (share) share.push(index);
      else shares.set(partition, [index]);
    }
    const replies: TReply[] = [];
    await Promise.all(
      [...shares].map(async ([partition, indexes]) => {
        const share = await ask(
          partition,
          indexes.map((index) => items[index] as TItem),
        );
        indexes.forEach((index, at) => (replies[index] = share[at] as TReply));
      }),
    );
    return replies;
  }

  /** A key may be in another partition than its job: then it is made to stand for an id first, and the id decides. */
  async submit(jobs: readonly NewJob[], queueLimit: number): Promise<Submission[]> {
    if (this.all.length === 1) return (this.all[0] as RedisPartition).submit(jobs, queueLimit);
    const share = (limit: number) => Math.ceil(limit / this.all.length);
    const known = await Promise.all(jobs.map((job) => this.#idOf(job)));
    const unkeyed = jobs.map((job, index) => ({
      ...job,
      id: known[index] as string,
      idempotency: null,
      queueLimit: job.queueLimit === null ? null : share(job.queueLimit),
    }));
    const submissions = await this.each(
      unkeyed,
      ({ id }) => id,
      (partition, some) => partition.submit(some, share(queueLimit)),
    );
    return submissions.map((submission, index) =>
      submission.outcome === 'conflict' && known[index] !== jobs[index]?.id
        ? { outcome: 'conflict', on: 'key' }
        : submission,
    );
  }

  /** All are asked for an equal share at once; then, one after the other, those that may have more. */
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
    const taken = await Promise.all(
      shares.map(({ limit, slots }, turn) => take(inTurn[turn] as RedisPartition, limit, slots)),
    );
    const claims = taken.flat();
    for (const [turn, partition] of inTurn.entries()) {
      const limit = request.limit - claims.length;
      const slots = new Map([...left].filter(([, most]) => most > 0));
      if (limit === 0 || slots.size === 0) break;
      const first = taken[turn] as Claim[];
      if (mayHaveMore(first, shares[turn] as Share, names.length))
        claims.push(...(await take(partition, limit, slots)));
    }
    return claims;
  }

  async recover({ limit, maxCrashes }: { limit: number; maxCrashes: number }): Promise<JobRecord[]> {
    const recovered: JobRecord[] = [];
    for (const partition of this.#turns.rotate(this.all)) {
      const left = limit - recovered.length;
      if (left > 0) recovered.push(...(await partition.recover({ limit: left, maxCrashes })));
    }
    return recovered;
  }

  async purge(limit: number): Promise<number> {
    let purged = 0;
    for (const partition of this.#turns.rotate(this.all)) {
      if (purged < limit) purged += await partition.purge(limit - purged);
    }
    return purged;
  }

  /** One partition after the other; a cursor says which, and where in it. */
  async list(filter: JobFilter, { limit, cursor }: { limit: number; cursor?: string }): Promise<JobPage> {
    const [, at, within] = cursor === undefined ? [null, 0, null] : decodeCursor<Position>(cursor, isPosition);
    const partition = this.all[at];
    if (!partition) return { jobs: [], cursor: null };
    const page = await listJobs(partition, filter, { limit, cursor: within ?? undefined });
    if (page.cursor !== null) return { jobs: page.jobs, cursor: encodeCursor(['partition', at, page.cursor]) };
    const more = at + 1 < this.all.length;
    return { jobs: page.jobs, cursor: more ? encodeCursor(['partition', at + 1, null]) : null };
  }

  async #idOf(job: NewJob): Promise<string> {
    return job.idempotency ? this.#of(scopeOf(job)).reserve(job) : job.id;
  }

  #of(text: string): RedisPartition {
    return this.all[hash(text) % this.all.length] as RedisPartition;
  }
}

type Position = readonly [kind: 'partition', partition: number, within: string | null];

function isPosition([kind, partition, within]: readonly [unknown, unknown, unknown]): boolean {
  const isIndex = Number.isSafeInteger(partition) && (partition as number) >= 0;
  return kind === 'partition' && isIndex && (within === null || typeof within === 'string');
}

interface Share {
  readonly limit: number;
  readonly slots: Map<string, number>;
}

/** What one of `parties` may take, so that all together take no more than the whole. */
function shareOf(turn: number, parties: number, limit: number, slots: ReadonlyMap<string, number>): Share {
  const share = (whole: number) => Math.floor(whole / parties) + (turn < whole % parties ? 1 : 0);
  const own = [...slots].map(([name, most]) => [name, share(most)] as const).filter(([, most]) => most > 0);
  return { limit: share(limit), slots: new Map(own) };
}

/** A share that was not used up says that there is no more; a name without one says nothing. */
function mayHaveMore(claims: readonly Claim[], { limit, slots }: Share, names: number): boolean {
  if (claims.length === limit || slots.size < names) return true;
  return [...slots].some(([name, most]) => claims.filter(({ job }) => job.name === name).length === most);
}

/** FNV-1a: part of the stored form, because it says where a job is. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return value;
}
