import { AsyncResource } from 'node:async_hooks';
import {
  concatWith,
  defer,
  distinctUntilChanged,
  fromEvent,
  lastValueFrom,
  merge,
  NEVER,
  Observable,
  takeUntil,
  takeWhile,
  tap,
  timer,
} from 'rxjs';
import { checkDuration, LONGEST_TIMER_MS } from '../job/bounds.js';
import { isTerminal, type JobRecord } from '../job/job.js';
import type { JobChange, JobStore } from '../store/job-store.js';
import { type Find, FollowedJob, type Follower, isSameState, read } from './followed-job.js';

export interface WaitOptions {
  /** How long to wait until the job is terminal, in ms. At most 24.8 days, also for `Infinity`. Default 30,000. */
  timeoutMs?: number | undefined;
  /** Ends the wait with the signal's reason. The job continues. */
  signal?: AbortSignal | undefined;
}

/** How often a followed job is read without a notification. */
const CHECK_MS = 30_000;
const CHECKED_AT_ONCE = 500;

/** The followed jobs. The followers of a job share one subscription and one read for each change. */
export class FollowedJobs {
  readonly #followed = new Map<string, FollowedJob>();
  #checks: NodeJS.Timeout | undefined;
  /** The async context of shared work: a subscription, like the store's connection, outlives the request that began it. */
  readonly #context = new AsyncResource('FollowedJobs');

  /** @param onNotified called with each job that a notification carries: it is not read by `find` */
  constructor(
    private readonly store: JobStore,
    private readonly find: Find,
    private readonly onNotified: (job: JobRecord) => void = () => {},
  ) {}

  /** @see JobManager.follow */
  follow(
    id: string,
    until: Observable<unknown>,
    isWorthReading: (change: JobChange) => boolean = () => true,
  ): Observable<JobRecord> {
    const states = new Observable<JobRecord>((subscriber) => this.#join(id, { subscriber, isWorthReading }));
    const changes = states.pipe(
      takeUntil(until),
      concatWith(defer(() => read(this.find, id))),
      distinctUntilChanged<JobRecord>(isSameState),
      takeWhile((job) => !isTerminal(job.status), true),
    );
    return inContextOfSubscriber(changes);
  }

  /** @see JobManager.followToEnd */
  followToEnd(id: string, until: Observable<unknown>): Observable<JobRecord> {
    return this.follow(id, until, ({ status }) => status === null || isTerminal(status));
  }

  /** @see JobManager.waitFor */
  async waitFor(id: string, { timeoutMs = 30_000, signal }: WaitOptions): Promise<JobRecord> {
    signal?.throwIfAborted();
    const longestMs = checkDuration('timeoutMs', timeoutMs, LONGEST_TIMER_MS);
    const aborted = signal ? fromEvent(signal, 'abort').pipe(tap(() => signal.throwIfAborted())) : NEVER;
    return lastValueFrom(this.followToEnd(id, merge(timer(longestMs), aborted)));
  }

  /** Stores send no notification when they lose data or are restored to an older state. */
  async #check(): Promise<void> {
    const jobs = [...this.#followed.values()];
    for (let at = 0; at < jobs.length; at += CHECKED_AT_ONCE) {
      await Promise.all(jobs.slice(at, at + CHECKED_AT_ONCE).map((job) => job.check()));
    }
  }

  #join(id: string, follower: Follower): () => void {
    const job =
      this.#followed.get(id) ??
      this.#context.runInAsyncScope(() => new FollowedJob(this.store, this.find, this.onNotified, id));
    this.#followed.set(id, job);
    this.#checks ??= this.#context.runInAsyncScope(() => setInterval(() => void this.#check(), CHECK_MS).unref());
    void this.#context.runInAsyncScope(() => job.join(follower));
    return () => {
      if (!job.leave(follower) || this.#followed.get(id) !== job) return;
      this.#followed.delete(id);
      job.end();
      if (this.#followed.size > 0) return;
      clearInterval(this.#checks);
      this.#checks = undefined;
    };
  }
}

/**
 * Runs the operators and subscribers after it in the async context of the subscriber. A job changes in the context of the worker,
 * of another request or of the shutdown. A follower must not see their `AsyncLocalStorage` values.
 */
function inContextOfSubscriber<T>(source: Observable<T>): Observable<T> {
  return new Observable((subscriber) => {
    const context = new AsyncResource('JobFollower');
    return source.subscribe({
      next: (value) => context.runInAsyncScope(subscriber.next, subscriber, value),
      error: (error: unknown) => context.runInAsyncScope(subscriber.error, subscriber, error),
      complete: () => context.runInAsyncScope(subscriber.complete, subscriber),
    });
  });
}
