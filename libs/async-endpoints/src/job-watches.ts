import {
  concatWith,
  defer,
  distinctUntilChanged,
  fromEvent,
  lastValueFrom,
  map,
  merge,
  NEVER,
  Observable,
  type Subscriber,
  takeUntil,
  takeWhile,
  tap,
  timer,
} from 'rxjs';
import { AsyncEndpointsError } from './job/errors.js';
import { decodeJob, isTerminal, type Job, type JobRecord } from './job/job.js';
import type { JobChange, JobStore } from './store/job-store.js';

export interface WaitOptions {
  /** How long to wait for the job's end, in ms. Default 30,000. */
  timeoutMs?: number;
  /** Ends the wait with the signal's reason; the job goes on. */
  signal?: AbortSignal;
}

type Find = (id: string) => Promise<JobRecord | null>;

interface Follower {
  readonly subscriber: Subscriber<Job | null>;
  readonly isWorthReading: (change: JobChange) => boolean;
}

/** The jobs that somebody follows: each watched once and read once per change, however many follow it. */
export class JobWatches {
  readonly #watches = new Map<string, Watch>();

  constructor(
    private readonly store: JobStore,
    private readonly find: Find,
  ) {}

  /** @see JobManager.follow */
  follow(
    id: string,
    until: Observable<unknown>,
    isWorthReading: (change: JobChange) => boolean = () => true,
  ): Observable<Job> {
    const watched = new Observable<Job | null>((subscriber) => this.#join(id, { subscriber, isWorthReading }));
    return watched.pipe(
      takeUntil(until),
      concatWith(defer(() => read(this.find, id))),
      map((job) => {
        if (!job) throw new AsyncEndpointsError('JOB_NOT_FOUND');
        return job;
      }),
      distinctUntilChanged((known, job) => job.version <= known.version),
      takeWhile((job) => !isTerminal(job.status), true),
    );
  }

  /** @see JobManager.followToEnd */
  followToEnd(id: string, until: Observable<unknown>): Observable<Job> {
    return this.follow(id, until, ({ status }) => status === null || isTerminal(status));
  }

  /** @see JobManager.waitFor */
  async waitFor(id: string, { timeoutMs = 30_000, signal }: WaitOptions): Promise<Job> {
    signal?.throwIfAborted();
    const aborted = signal ? fromEvent(signal, 'abort').pipe(tap(() => signal.throwIfAborted())) : NEVER;
    return lastValueFrom(this.followToEnd(id, merge(timer(timeoutMs), aborted)));
  }

  #join(id: string, follower: Follower): () => void {
    const watch = this.#watches.get(id) ?? new Watch(this.store, this.find, id);
    this.#watches.set(id, watch);
    void watch.join(follower);
    return () => {
      if (!watch.leave(follower) || this.#watches.get(id) !== watch) return;
      this.#watches.delete(id);
      watch.end();
    };
  }
}

/** One watch of one job. */
class Watch {
  readonly #followers = new Set<Follower>();
  readonly #begun: Promise<() => void>;
  #isRead = false;
  #reading = false;
  #readAgain = false;

  constructor(
    store: JobStore,
    private readonly find: Find,
    private readonly id: string,
  ) {
    this.#begun = store.watch({ job: id }, (change) => this.#changed(change));
  }

  /** The follower is told of the job as it stands once it is watched: what happens in between is not missed. */
  async join(follower: Follower): Promise<void> {
    this.#followers.add(follower);
    try {
      await this.#begun;
    } catch (error) {
      return follower.subscriber.error(error);
    }
    await this.#read();
  }

  /** True where nobody is left. */
  leave(follower: Follower): boolean {
    return this.#followers.delete(follower) && this.#followers.size === 0;
  }

  end(): void {
    this.#begun.then(
      (unwatch) => unwatch(),
      () => {}, // the followers were told
    );
  }

  /** A change that was on its way since before the first read may be older than what was read: then it is read again. */
  #changed(change: JobChange): void {
    const followers = [...this.#followers];
    if (!followers.some(({ isWorthReading }) => isWorthReading(change))) return;
    if (!change.job || !this.#isRead || this.#reading) return void this.#read();
    const job = decodeJob(change.job);
    for (const { subscriber } of followers) subscriber.next(job);
  }

  /** Reads once more where something happened meanwhile. A read tells only those who were there when it began. */
  async #read(): Promise<void> {
    this.#readAgain = true;
    if (this.#reading) return;
    this.#reading = true;
    while (this.#readAgain) {
      this.#readAgain = false;
      const followers = [...this.#followers];
      if (followers.length === 0) continue;
      try {
        const job = await read(this.find, this.id);
        for (const { subscriber } of followers) subscriber.next(job);
      } catch (error) {
        for (const { subscriber } of followers) subscriber.error(error);
      }
    }
    this.#reading = false;
    this.#isRead = true;
  }
}

async function read(find: Find, id: string): Promise<Job | null> {
  const record = await find(id);
  return record && decodeJob(record);
}
