import type { Subscriber } from 'rxjs';
import { AsyncEndpointsError } from '../job/errors.js';
import type { JobRecord } from '../job/job.js';
import type { JobChange, JobStore } from '../store/job-store.js';

export type Find = (id: string) => Promise<JobRecord | null>;

export interface Follower {
  readonly subscriber: Subscriber<JobRecord>;
  readonly isWorthReading: (change: JobChange) => boolean;
}

/** One subscription to one job, shared by its followers. */
export class FollowedJob {
  readonly #followers = new Set<Follower>();
  readonly #begun: Promise<() => void>;
  /** The job as followers last got it; undefined before the first read. */
  #known: JobRecord | undefined;
  #reading = false;
  #readAgain = false;

  constructor(
    store: JobStore,
    private readonly find: Find,
    private readonly onNotified: (job: JobRecord) => void,
    private readonly id: string,
  ) {
    this.#begun = store.subscribe({ job: id }, (change) => this.#changed(change));
  }

  /** The follower gets the job after the subscription has begun, so it misses no change. */
  async join(follower: Follower): Promise<void> {
    this.#followers.add(follower);
    try {
      await this.#begun;
    } catch (error) {
      return follower.subscriber.error(error);
    }
    await this.readJob();
  }

  /** True when no follower is left. */
  leave(follower: Follower): boolean {
    return this.#followers.delete(follower) && this.#followers.size === 0;
  }

  /** Reads the job again when it differs from what followers got. Ignores that the store is unavailable. */
  async check(): Promise<void> {
    const known = this.#known;
    if (this.#reading || !known) return;
    const job = await this.find(this.id).catch(() => known);
    if (!job || !isSameState(known, job)) await this.readJob();
  }

  end(): void {
    this.#begun.then(
      (unsubscribe) => unsubscribe(),
      () => {}, // the followers got the error
    );
  }

  /**
   * A notification can be older than the last read, and a store can be restored to an older state. Unless the change is newer than
   * the known job, the job is read again.
   */
  #changed(change: JobChange): void {
    const followers = [...this.#followers];
    if (!followers.some(({ isWorthReading }) => isWorthReading(change))) return;
    if (!change.job || this.#reading || !isNewer(change.job, this.#known)) return void this.readJob();
    const job = (this.#known = change.job);
    this.onNotified(job);
    for (const { subscriber } of followers) subscriber.next(job);
  }

  /** Reads again when a change came meanwhile. Only followers that joined before the read began get its result. */
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

/** Compares times too: a store that was restored to an older state counts the same versions again. */
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
