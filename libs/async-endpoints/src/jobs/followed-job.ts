import type { Subscriber } from 'rxjs';
import { AsyncEndpointsError } from '../job/errors.js';
import type { JobRecord } from '../job/job.js';
import type { JobChange, JobStore } from '../store/job-store.js';

export type Find = (id: string) => Promise<JobRecord | null>;

export interface Follower {
  readonly subscriber: Subscriber<JobRecord>;
  readonly isWorthReading: (change: JobChange) => boolean;
}

/** One watch of one job. */
export class FollowedJob {
  readonly #followers = new Set<Follower>();
  readonly #begun: Promise<() => void>;
  /** As it was last told; none before the first read. */
  #known: JobRecord | undefined;
  #reading = false;
  #readAgain = false;

  constructor(
    store: JobStore,
    private readonly find: Find,
    private readonly id: string,
  ) {
    this.#begun = store.subscribe({ job: id }, (change) => this.#changed(change));
  }

  /** The follower is told of the job as it stands once it is watched: what happens in between is not missed. */
  async join(follower: Follower): Promise<void> {
    this.#followers.add(follower);
    try {
      await this.#begun;
    } catch (error) {
      return follower.subscriber.error(error);
    }
    await this.readJob();
  }

  /** True where nobody is left. */
  leave(follower: Follower): boolean {
    return this.#followers.delete(follower) && this.#followers.size === 0;
  }

  /** Reads anew where the job is not as it was last told. Where the store cannot be reached, that is not the time to say so. */
  async check(): Promise<void> {
    const known = this.#known;
    if (this.#reading || !known) return;
    const job = await this.find(this.id).catch(() => known);
    if (!job || !isSameState(known, job)) await this.readJob();
  }

  end(): void {
    this.#begun.then(
      (unsubscribe) => unsubscribe(),
      () => {}, // the followers were told
    );
  }

  /**
   * A change that was on its way since before the last read may be older than what was read, or the store may have been put
   * back to an older state: then it is read again, for the record is the truth.
   */
  #changed(change: JobChange): void {
    const followers = [...this.#followers];
    if (!followers.some(({ isWorthReading }) => isWorthReading(change))) return;
    if (!change.job || this.#reading || !isNewer(change.job, this.#known)) return void this.readJob();
    const job = (this.#known = change.job);
    for (const { subscriber } of followers) subscriber.next(job);
  }

  /** Reads once more where something happened meanwhile. A read tells only those who were there when it began. */
  async readJob(): Promise<void> {
    this.#readAgain = true;
    if (this.#reading) return;
    this.#reading = true;
    while (this.#readAgain) {
      this.#readAgain = false;
      const followers = [...this.#followers];
      if (followers.length === 0) continue;
      try {
        const job = (this.#known = await read(this.find, this.id));
        for (const { subscriber } of followers) subscriber.next(job);
      } catch (error) {
        for (const { subscriber } of followers) subscriber.error(error);
      }
    }
    this.#reading = false;
  }
}

type State = Pick<JobRecord, 'createdAt' | 'version' | 'lastUpdatedAt'>;

/** Of one history: a store that was put back to an older state counts the same versions again, but not at the same time. */
export function isSameState(known: State, job: State): boolean {
  return (
    job.version === known.version && job.lastUpdatedAt === known.lastUpdatedAt && job.createdAt === known.createdAt
  );
}

function isNewer(job: JobRecord, known: JobRecord | undefined): boolean {
  return !!known && job.createdAt === known.createdAt && job.version > known.version;
}

/** @throws AsyncEndpointsError `JOB_NOT_FOUND` */
export async function read(find: Find, id: string): Promise<JobRecord> {
  const record = await find(id);
  if (!record) throw new AsyncEndpointsError('JOB_NOT_FOUND');
  return record;
}
