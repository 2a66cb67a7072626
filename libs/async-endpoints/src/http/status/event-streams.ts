import { Inject, Injectable, Logger, type MessageEvent } from '@nestjs/common';
import { catchError, EMPTY, type Observable } from 'rxjs';
import { textOf } from '../../events/error-text.js';
import type { JobRecord } from '../../job/job.js';
import { JobRecords } from '../../jobs/job-records.js';
import { type HttpRequest, OPTIONS, type ResolvedOptions } from '../../options/options.js';
import { NOT_SNIFFED } from '../reply/problem.js';
import { eventIdOf, isSeen } from '../reply/request-headers.js';
import { Responder } from '../reply/responder.js';
import { textOfBody } from '../reply/job-body.js';
import { HttpShutdown, outgoingOf, taken } from '../shutdown.js';
import { HeldAnswers } from '../waits.js';
import { pacedEvents } from './paced-events.js';

/** Sends the changes of a job as server-sent events. */
@Injectable()
export class EventStreams {
  readonly #logger = new Logger('AsyncEndpoints');

  constructor(
    @Inject(JobRecords) private readonly jobs: JobRecords,
    @Inject(Responder) private readonly responder: Responder,
    @Inject(HttpShutdown) private readonly shutdown: HttpShutdown,
    @Inject(HeldAnswers) private readonly held: HeldAnswers,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Counts a stream until it is closed. @throws AsyncEndpointsError `TOO_MANY_WAITS`, `TOO_MANY_WAITS_OF_OWNER` */
  hold({ owner }: JobRecord, response: unknown): void {
    this.held.holdUntilClosed(owner, outgoingOf(response));
  }

  /**
   * Sends the job, then each change, until the job is terminal. A slow reader gets the latest state only. The data is the body of
   * the status route, with `response.jobStatus` applied. When an error ends the stream, the client reconnects and gets a problem.
   *
   * @param lastEventId the state that the client has; '' for none
   */
  of(id: string, lastEventId: string, request: HttpRequest, response: unknown): Observable<MessageEvent> {
    const outgoing = outgoingOf(response);
    for (const [name, value] of Object.entries(NOT_SNIFFED)) outgoing.setHeader(name, value);
    const { keepAliveMs, slowReaderTimeoutMs } = this.options.http;
    return pacedEvents<JobRecord>(this.jobs.followed.follow(id, this.shutdown.endOf(response)), {
      toEvent: (job, before) => this.#toEvent(job, before, lastEventId, request),
      ready: () => taken(outgoing, slowReaderTimeoutMs),
      keepAliveMs,
      // With an id: Nest before 11.2 does not support comments. It writes an event without data, which clients ignore, but it
      // would make up an id.
      toComment: (last) => ({ id: last ? eventIdOf(last) : lastEventId || '0', comment: 'alive' }),
    }).pipe(
      catchError((error: unknown) => {
        this.#logger.warn(`The events of job ${id} ended early: ${textOf(error)}`);
        return EMPTY;
      }),
    );
  }

  async #toEvent(
    job: JobRecord,
    before: JobRecord | null,
    lastEventId: string,
    request: HttpRequest,
  ): Promise<MessageEvent | null> {
    if (isSeen(job, lastEventId)) return null;
    const isSameRun = before?.status === job.status && before.fence === job.fence;
    const { body } = await this.responder.status(job, request);
    return { type: isSameRun ? 'progress' : 'status', id: eventIdOf(job), data: textOfBody(body) };
  }
}
