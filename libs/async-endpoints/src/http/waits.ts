import type { ServerResponse } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { merge, Observable, takeLast, takeWhile, timer } from 'rxjs';
import { AsyncEndpointsError } from '../job/errors.js';
import type { JobRecord } from '../job/job.js';
import { JobRecords } from '../jobs/job-records.js';
import { OPTIONS, type ResolvedOptions } from '../options/options.js';
import { HttpShutdown } from './shutdown.js';

/** Counts and limits event streams and held responses: each keeps memory while it is open. */
@Injectable()
export class HeldAnswers {
  #count = 0;
  readonly #byOwner = new Map<string | null, number>();

  constructor(@Inject(OPTIONS) private readonly options: ResolvedOptions) {}

  /**
   * Counts one more response until it is closed.
   *
   * @throws AsyncEndpointsError `TOO_MANY_WAITS`, `TOO_MANY_WAITS_OF_OWNER`
   */
  holdUntilClosed(owner: string | null, response: ServerResponse): void {
    const release = this.#take(owner);
    if (response.destroyed) release();
    else response.once('close', release);
  }

  /** Counts one more response while it is subscribed to. It fails with `TOO_MANY_WAITS` or `TOO_MANY_WAITS_OF_OWNER`. */
  hold<T>(owner: string | null, answer: Observable<T>): Observable<T> {
    return new Observable((subscriber) => {
      subscriber.add(this.#take(owner));
      return answer.subscribe(subscriber);
    });
  }

  #take(owner: string | null): () => void {
    const { maxHeldAnswers, maxHeldAnswersPerOwner } = this.options.http;
    if (this.#count >= maxHeldAnswers) throw new AsyncEndpointsError('TOO_MANY_WAITS');
    const ofOwner = this.#byOwner.get(owner) ?? 0;
    if (owner !== null && ofOwner >= maxHeldAnswersPerOwner) throw new AsyncEndpointsError('TOO_MANY_WAITS_OF_OWNER');
    this.#count++;
    this.#byOwner.set(owner, ofOwner + 1);
    return () => this.#release(owner);
  }

  #release(owner: string | null): void {
    this.#count--;
    const left = (this.#byOwner.get(owner) as number) - 1;
    if (left > 0) this.#byOwner.set(owner, left);
    else this.#byOwner.delete(owner);
  }
}

/** Holds responses until a job changes. */
@Injectable()
export class JobWaits {
  constructor(
    @Inject(JobRecords) private readonly jobs: JobRecords,
    @Inject(HttpShutdown) private readonly shutdown: HttpShutdown,
    @Inject(HeldAnswers) private readonly held: HeldAnswers,
  ) {}

  /**
   * The job, once: when it is terminal or `isAwaited`, or as it stands when time is up or the application shuts down. Nest
   * unsubscribes when the client goes away, and nothing is left of the wait. It fails with `TOO_MANY_WAITS` or
   * `TOO_MANY_WAITS_OF_OWNER`.
   *
   * @param response the answer that is held
   * @param isAwaited absent: changes before the end are not read
   */
  until(
    { id, owner }: JobRecord,
    seconds: number,
    response: unknown,
    isAwaited?: (job: JobRecord) => boolean,
  ): Observable<JobRecord> {
    const { followed } = this.jobs;
    const isOver = merge(timer(seconds * 1_000), this.shutdown.endOf(response));
    const states = isAwaited
      ? followed.follow(id, isOver).pipe(takeWhile((job) => !isAwaited(job), true))
      : followed.followToEnd(id, isOver);
    return this.held.hold(owner, states.pipe(takeLast(1)));
  }
}
