import { Inject, Injectable, Logger, type MessageEvent } from '@nestjs/common';
import { catchError, concatMap, EMPTY, filter, Observable, scan, tap } from 'rxjs';
import type { Job } from '../job/job.js';
import { JobManager } from '../job-manager.js';
import { type HttpRequest, OPTIONS, type ResolvedOptions } from '../options.js';
import { HttpShutdown } from './http-shutdown.js';
import { Responder } from './responder.js';

interface Change {
  readonly job: Job;
  readonly type: 'status' | 'progress';
}

/** What happens to a job, as server-sent events. */
@Injectable()
export class JobEvents {
  readonly #logger = new Logger('AsyncEndpoints');

  constructor(
    @Inject(JobManager) private readonly jobs: JobManager,
    @Inject(Responder) private readonly responder: Responder,
    @Inject(HttpShutdown) private readonly shutdown: HttpShutdown,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * The job as it stands, then each change, until it has ended. Their data is what the status route answers, by way of
   * `response.jobStatus` as there. A stream that cannot go on just ends: the client comes back, and is told why.
   *
   * @param seen the version that the client knows; 0 for none
   */
  of(id: string, seen: number, request: HttpRequest, response: unknown): Observable<MessageEvent> {
    const events = this.jobs.follow(id, this.shutdown.endOf(response)).pipe(
      scan<Job, Change | null>(toChange, null),
      filter((change): change is Change => change !== null && change.job.version > seen),
      concatMap(async ({ job, type }) => {
        const { body } = await this.responder.status(job, request);
        return { type, id: String(job.version), data: JSON.stringify(body) };
      }),
      catchError((error: unknown) => {
        this.#logger.warn(`The events of job ${id} ended early: ${String(error)}`);
        return EMPTY;
      }),
    );
    return events.pipe(keptAlive(this.options.http.keepAliveSeconds * 1_000, seen));
  }
}

function toChange(before: Change | null, job: Job): Change {
  const isSameRun = before?.job.status === job.status && before.job.fence === job.fence;
  return { job, type: isSameRun ? 'progress' : 'status' };
}

/**
 * With comments in between, lest a proxy takes silence for the end. They repeat the last id, because Nest before 11.2
 * knows no comments: it would write an event without data, which clients ignore, but with an id of its own making.
 */
function keptAlive(everyMs: number, seen: number): (events: Observable<MessageEvent>) => Observable<MessageEvent> {
  return (events) =>
    new Observable((subscriber) => {
      let id = String(seen);
      const beat = setInterval(() => subscriber.next({ id, comment: 'alive' }), everyMs);
      subscriber.add(() => clearInterval(beat));
      return events.pipe(tap((event) => (id = event.id ?? id))).subscribe(subscriber);
    });
}
