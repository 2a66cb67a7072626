import type { JobRecord, NewJob } from '../../job/job.js';
import type { Settlement } from '../../job/lifecycle.js';
import { Batcher } from '../../store/batcher.js';
import type { QueueLimits, Submission } from '../../store/job-store.js';
import { repliesOf, sizeOfSettlement } from '../../store/parts.js';
import { encodeNullable } from '../sql/text.js';
import { isLocked, type PostgresConnections } from './connections.js';
import type { Fronts } from './fronts.js';
import {
  type RecordRow,
  recordOf,
  settlementArguments,
  submissionsOf,
  submitArguments,
  type SubmitReply,
  uuidOf,
} from './rows.js';

export interface Submitted {
  readonly job: NewJob;
  readonly limits: QueueLimits;
}

interface Wanted {
  readonly id: string;
  /** Undefined when any owner is accepted. */
  readonly owner: string | null | undefined;
}

/** Batches the verbs that are called concurrently: elements that arrive while a call is in flight are sent in the next one. */
export class PostgresBatches {
  readonly #submits: Batcher<Submitted, Submission>;
  readonly #settles: Batcher<Settlement, boolean>;
  readonly #finds: Batcher<Wanted, JobRecord | null>;

  constructor(
    private readonly connections: PostgresConnections,
    private readonly fronts: Fronts,
    private readonly now: () => number | null,
  ) {
    // The server writes the log of one batch to the disk while it inserts another.
    this.#submits = new Batcher((items) => this.#submit(items), {
      overlap: 2,
      keepsOrder: true,
      sizeOf: ({ job }) => job.payload.length,
    });
    this.#settles = new Batcher((items) => this.#settle(items), { sizeOf: sizeOfSettlement });
    this.#finds = new Batcher((items) => this.#find(items), { overlap: 2 });
  }

  /** @throws PartialBatchError when only some jobs were submitted */
  async submit(jobs: readonly NewJob[], limits: QueueLimits): Promise<Submission[]> {
    return repliesOf(await Promise.allSettled(jobs.map((job) => this.#submits.push({ job, limits }))));
  }

  settle(settlements: readonly Settlement[]): Promise<boolean[]> {
    return Promise.all(settlements.map((settlement) => this.#settles.push(settlement)));
  }

  find(ids: readonly string[], owners?: readonly (string | null)[]): Promise<(JobRecord | null)[]> {
    return Promise.all(ids.map((id, at) => this.#finds.push({ id, owner: owners && (owners[at] ?? null) })));
  }

  /** An open transaction of the application may hold a key or an id. The batch is then halved until that job fails alone. */
  #submit(items: readonly Submitted[]): Promise<Submission[]> {
    const send = (jobs: readonly NewJob[], limits: QueueLimits) =>
      this.connections.call<SubmitReply>('submit', ...submitArguments(jobs, limits, false, this.now()));
    return submitAlike(items, send).catch((error: unknown) => {
      throw isLocked(error) && items.length > 1 ? error.cause : error;
    });
  }

  async #settle(settlements: readonly Settlement[]): Promise<boolean[]> {
    const held = await this.connections.call<number[] | null>(
      'settle',
      ...settlementArguments(settlements),
      this.now(),
    );
    for (const { name, verb } of settlements) if (verb === 'retry' || verb === 'release') this.fronts.forget(name);
    if (held === null) return settlements.map(() => true);
    const numbers = new Set(held);
    return settlements.map((_, n) => numbers.has(n + 1));
  }

  async #find(wanted: readonly Wanted[]): Promise<(JobRecord | null)[]> {
    const owners = wanted.map(({ owner }) => encodeNullable(owner ?? null));
    const isOwned = wanted.map(({ owner }) => owner !== undefined);
    const ids = wanted.map(({ id }) => id);
    const found = new Map(await this.connections.call<[number, RecordRow][]>('find', ids.map(uuidOf), owners, isOwned));
    return ids.map((_, n) => {
      const row = found.get(n);
      return row ? recordOf(row) : null;
    });
  }
}

/** Submits consecutive jobs with the same limits together; nearly always that is the whole batch. */
export async function submitAlike(
  items: readonly Submitted[],
  submit: (jobs: readonly NewJob[], limits: QueueLimits) => Promise<SubmitReply>,
): Promise<Submission[]> {
  const submissions: Submission[] = [];
  while (submissions.length < items.length) {
    const rest = items.slice(submissions.length);
    const { limits } = rest[0] as Submitted;
    const end = rest.findIndex((other) => !areSame(other.limits, limits));
    const jobs = rest.slice(0, end < 0 ? undefined : end).map(({ job }) => job);
    submissions.push(...submissionsOf(jobs, await submit(jobs, limits)));
  }
  return submissions;
}

function areSame(one: QueueLimits, other: QueueLimits): boolean {
  return one.queueLimit === other.queueLimit && (one.queueBytes ?? null) === (other.queueBytes ?? null);
}
