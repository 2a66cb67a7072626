import { Inject, Injectable, type MessageEvent } from '@nestjs/common';
import { catchError, defer, mergeMap, type Observable } from 'rxjs';
import { AsyncEndpointsError } from '../../job/errors.js';
import { toJobId } from '../../job/job-id.js';
import { isTerminal, type JobRecord } from '../../job/job.js';
import { JobRecords } from '../../jobs/job-records.js';
import { type HttpRequest, OPTIONS, type ResolvedOptions } from '../../options/options.js';
import { callerOf } from '../reply/principal.js';
import { ReplyException } from '../reply/reply.filter.js';
import { entityTagOf, isKnownTo, isSeen, orNotModified, preferencesOf } from '../reply/request-headers.js';
import { Responder } from '../reply/responder.js';
import { JobWaits } from '../waits.js';
import { EventStreams } from './event-streams.js';

/** Answers the status routes. A job of another owner is answered exactly as one that does not exist. */
@Injectable()
export class JobMonitor {
  readonly #admitted = new WeakMap<HttpRequest, string>();

  constructor(
    @Inject(JobRecords) private readonly jobs: JobRecords,
    @Inject(Responder) private readonly responder: Responder,
    @Inject(JobWaits) private readonly waits: JobWaits,
    @Inject(EventStreams) private readonly streams: EventStreams,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Answers at once, or with an Observable when the client waits: Nest unsubscribes when the client disconnects. */
  show(
    what: 'status' | 'result',
    id: string,
    request: HttpRequest,
    response: unknown,
  ): Promise<unknown> | Observable<unknown> {
    const preferences = preferencesOf(request, this.options.http.maxWaitMs);
    const answer = async (job: JobRecord) => {
      const shown =
        this.responder.unchanged(job, request, preferences) ?? (await this.responder[what](job, request, preferences));
      return this.responder.send(response, orNotModified(shown, request), 'status');
    };
    const refuse = (error: unknown) => this.#refuse(error, request);
    const { wait } = preferences;
    if (wait === null) return this.#find(id, request).then(answer).catch(refuse);
    return defer(() => this.#find(id, request)).pipe(
      mergeMap((job) =>
        isNews(job, request) ? answer(job) : this.#hold(job, request, response, wait).pipe(mergeMap(answer)),
      ),
      catchError(refuse),
    );
  }

  async cancel(id: string, request: HttpRequest, response: unknown): Promise<unknown> {
    try {
      const { id: found } = await this.#find(id, request);
      const reply = await this.responder.status(await this.jobs.cancel(found), request);
      return this.responder.send(response, reply, 'status');
    } catch (error) {
      return this.#refuse(error, request);
    }
  }

  /**
   * Called by {@link JobEventsGuard} before {@link events}. A client that reconnects after the last event, as browsers do, gets a
   * 204: it stops reconnecting.
   */
  async admitToEvents(id: string, request: HttpRequest, response: unknown): Promise<void> {
    try {
      const job = await this.#find(id, request);
      if (isSeen(job, lastEventIdOf(request)) && isTerminal(job.status))
        throw new ReplyException({ status: 204, headers: { 'Cache-Control': 'private, no-cache' }, body: undefined });
      this.streams.hold(job, response);
      this.#admitted.set(request, job.id);
    } catch (error) {
      await this.#refuse(error, request);
    }
  }

  events(request: HttpRequest, response: unknown): Observable<MessageEvent> {
    return this.streams.of(this.#admitted.get(request) as string, lastEventIdOf(request), request, response);
  }

  /** Called for a job that the client may see. Otherwise a client could learn from the response time that others wait. */
  #hold(job: JobRecord, request: HttpRequest, response: unknown, seconds: number): Observable<JobRecord> {
    const isConditional = request.headers['if-none-match'] !== undefined;
    return this.waits.until(job, seconds, response, isConditional ? (changed) => isNews(changed, request) : undefined);
  }

  async #find(text: string, request: HttpRequest): Promise<JobRecord> {
    const id = toJobId(text);
    const { http } = this.options;
    const job = await this.jobs.find(id, http.owner && { owner: await callerOf(http, 'owner', request) });
    if (!job) throw new AsyncEndpointsError('JOB_NOT_FOUND');
    return job;
  }

  async #refuse(error: unknown, request: HttpRequest): Promise<never> {
    throw await this.responder.refusal(error, request, 'status');
  }
}

/** Whether a held request is answered with this state: a terminal one, or one that differs from the client's `If-None-Match`. */
function isNews(job: JobRecord, request: HttpRequest): boolean {
  if (isTerminal(job.status)) return true;
  return request.headers['if-none-match'] !== undefined && !isKnownTo(request, entityTagOf(job));
}

/** The `Last-Event-ID` of a client that reconnects; '' when it is not an id of these streams. */
function lastEventIdOf({ headers }: HttpRequest): string {
  return /^\d{1,15}(-[\da-z]{1,11})?$/.exec(String(headers['last-event-id'] ?? ''))?.[0] ?? '';
}
