import { Inject, Injectable } from '@nestjs/common';
import { merge, type Observable, takeLast, takeWhile, timer } from 'rxjs';
import type { Job } from '../job/job.js';
import { JobManager } from '../job-manager.js';
import { HeldAnswers } from './held-answers.js';
import { HttpShutdown } from './http-shutdown.js';

/** Answers that are held until there is something to tell. */
@Injectable()
export class JobWaits {
  constructor(
    @Inject(JobManager) private readonly jobs: JobManager,
    @Inject(HttpShutdown) private readonly shutdown: HttpShutdown,
    @Inject(HeldAnswers) private readonly held: HeldAnswers,
  ) {}

  /**
   * The job, once: as soon as it is what is waited for, else as it stands when time is up or the application shuts down.
   * Nest unsubscribes when the client goes away, and nothing is left of the wait. It fails with `TOO_MANY_WAITS` or
   * `TOO_MANY_WAITS_OF_OWNER`.
   *
   * @param response the answer that is held
   */
  until({ id, owner }: Job, seconds: number, response: unknown, isAwaited: (job: Job) => boolean): Observable<Job> {
    const states = this.jobs.follow(id, this.#isOver(seconds, response));
    return this.held.hold(
      owner,
      states.pipe(
        takeWhile((job) => !isAwaited(job), true),
        takeLast(1),
      ),
    );
  }

  /** Likewise, for its end. */
  untilEnd({ id, owner }: Job, seconds: number, response: unknown): Observable<Job> {
    const end = this.jobs.followToEnd(id, this.#isOver(seconds, response));
    return this.held.hold(owner, end.pipe(takeLast(1)));
  }

  #isOver(seconds: number, response: unknown): Observable<unknown> {
    return merge(timer(seconds * 1_000), this.shutdown.endOf(response));
  }
}
