import { randomUUID } from 'node:crypto';
import { HttpException, Inject, Injectable, Logger } from '@nestjs/common';
import { logError } from '../../events/error-text.js';
import { decodeJob } from '../../job/decode-job.js';
import { AsyncEndpointsError, publicError } from '../../job/errors.js';
import { isTerminal, type JobRecord } from '../../job/job.js';
import type { Accepted } from '../../jobs/job-records.js';
import { type HttpRequest, OPTIONS, type Reply, type ResolvedOptions } from '../../options/options.js';
import type { Links } from '../../job/job-representation.js';
import { JobLinks } from './job-links.js';
import { OwnerError } from './principal.js';
import { isAnswerable, NOT_SNIFFED, problemReply } from './problem.js';
import { ReplyException } from './reply.filter.js';
import { presentable, represent } from './represent.js';
import { entityTagOf, isKnownTo, type Preferences } from './request-headers.js';
import { ResponseFactories } from './response-factories.js';
import { ResponseWriter } from './response-writer.js';
import { RetryAfter } from './retry-after.js';
import { hasResult, StoredBody } from './stored-body.js';

/** Every answer about a job may change, and depends on who asks and how long the client would wait. */
const REVALIDATED = { 'Cache-Control': 'private, no-cache', Vary: 'Prefer' };

/** A result or an error may be anything, also what a browser must not keep or take for a page. */
const ENDED = { 'Cache-Control': 'private, no-store', ...NOT_SNIFFED };

type During = 'submission' | 'status';

/** Makes the answers: the contract's, as changed by the application's response factories. */
@Injectable()
export class Responder {
  readonly #logger = new Logger('AsyncEndpoints');

  constructor(
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
    @Inject(JobLinks) private readonly links: JobLinks,
    @Inject(ResponseFactories) private readonly factories: ResponseFactories,
    @Inject(RetryAfter) private readonly retryAfter: RetryAfter,
    @Inject(ResponseWriter) private readonly writer: ResponseWriter,
  ) {}

  /** 202 with the job, or 200 where it has ended by now. */
  submitted({ job, replayed }: Accepted, request: HttpRequest, preferences: Preferences): Reply | Promise<Reply> {
    const links = this.links.of(job.id, request);
    const isEnded = isTerminal(job.status);
    const headers = {
      Location: links.self,
      'X-Async-Request-Id': job.id,
      ...this.#askAgain(job),
      ...(replayed && { 'Idempotency-Replayed': 'true' }),
      ...applied(preferences, job),
      ...(isEnded && ENDED),
    };
    return this.#show('jobSubmitted', job, request, links, { status: isEnded ? 200 : 202, headers });
  }

  /**
   * The 304 for a completed job that the client has, made before anything else; null for any other response, and where
   * `response.jobStatus` may choose another entity tag.
   */
  unchanged(job: JobRecord, request: HttpRequest, preferences: Preferences): Reply | null {
    if (request.headers['if-none-match'] === undefined) return null;
    if (job.status !== 'Completed' || this.options.response.jobStatus) return null;
    if (!isKnownTo(request, entityTagOf(job))) return null;
    return { status: 304, headers: this.#headers(job, preferences), body: undefined };
  }

  /** 200 with a finished job, 202 (or as configured) with another. */
  status(job: JobRecord, request: HttpRequest, preferences?: Preferences): Reply | Promise<Reply> {
    const links = this.links.of(job.id, request);
    const headers = this.#headers(job, preferences);
    const isEnded = isTerminal(job.status);
    if (!isEnded) headers['Location'] = links.self;
    const status = isEnded ? 200 : this.options.http.unfinishedStatus;
    return this.#show('jobStatus', job, request, links, { status, headers });
  }

  /**
   * The bare result of a completed job; anything else is a refusal, or a 202 that names no other `Location`: pollers would
   * go there, and take the end of the job for its result.
   */
  async result(job: JobRecord, request: HttpRequest, preferences: Preferences): Promise<Reply> {
    switch (job.status) {
      case 'Completed': {
        const headers = this.#headers(job, preferences);
        return hasResult(job)
          ? { status: 200, headers, body: new StoredBody(job) }
          : { status: 204, headers, body: null };
      }
      case 'Failed':
        throw new AsyncEndpointsError('JOB_FAILED', undefined, {
          details: { error: job.error && publicError(job.error) },
        });
      case 'Canceled':
        throw new AsyncEndpointsError('JOB_CANCELED');
      default: {
        const reply = { status: 202, headers: this.#headers(job, preferences) };
        const shown = await this.#show('jobStatus', job, request, this.links.of(job.id, request), reply);
        return { ...shown, status: 202 };
      }
    }
  }

  /**
   * The exception that answers what went wrong in our part of a request. An `HttpException`, such as one thrown by the
   * `owner` option, stays what it is. A fault's message stays in the log, under an id that the client is given.
   *
   * @param name of the job that was to be made, where it is known
   */
  async refusal(error: unknown, request: HttpRequest, during: During, name = ''): Promise<unknown> {
    if (error instanceof HttpException) return error;
    const instance = pathOf(request);
    if (!isAnswerable(error)) {
      const correlationId = randomUUID();
      logError(this.#logger, `${request.method} ${instance} failed (correlation id ${correlationId})`, error);
      const detail = error instanceof OwnerError ? OwnerError.DETAIL : undefined;
      const fault = problemReply(
        new AsyncEndpointsError('INTERNAL_ERROR', detail, { details: { correlationId } }),
        instance,
      );
      return new ReplyException(await this.factories.apply('exception', error, request, fault), { cause: error });
    }
    const reply = problemReply(error, instance, {
      ...(during === 'status' && REVALIDATED),
      ...(await this.#tryAgain(error, name)),
    });
    return new ReplyException(await this.#customRefusal(error, request, during, reply), { cause: error });
  }

  /** @param ofStatusRoute whether the response is that of a status route */
  send(response: unknown, reply: Reply, ofStatusRoute = false): unknown {
    return this.writer.write(response, reply, ofStatusRoute);
  }

  #show(
    hook: 'jobStatus' | 'jobSubmitted',
    job: JobRecord,
    request: HttpRequest,
    links: Links,
    { status, headers }: Omit<Reply, 'body'>,
  ): Reply | Promise<Reply> {
    const envelope = represent(job, null, links, this.options.http.showAttempts);
    if (!this.options.response[hook])
      return { status, headers, body: hasResult(job) ? new StoredBody(job, envelope) : envelope };
    const decoded = decodeJob(job);
    const body = { ...envelope, result: decoded.result };
    const replayed = hook === 'jobSubmitted' && { replayed: 'Idempotency-Replayed' in headers };
    const subject = presentable(Object.assign(decoded, replayed as { replayed: boolean }), body);
    return this.factories.apply(hook, subject, request, { status, headers, body });
  }

  #headers(job: JobRecord, preferences?: Preferences): Record<string, string> {
    // Named first, copied last: V8 is slow to add fields to a copy (docs/decisions/0034).
    const headers = {
      'Cache-Control': REVALIDATED['Cache-Control'],
      Vary: REVALIDATED.Vary,
      ETag: entityTagOf(job),
      ...this.#askAgain(job),
      ...(preferences && applied(preferences)),
    };
    return isTerminal(job.status) ? Object.assign(headers, ENDED) : headers;
  }

  #askAgain(job: JobRecord): { 'Retry-After'?: string } {
    this.retryAfter.observe(job);
    return isTerminal(job.status) ? {} : { 'Retry-After': this.retryAfter.of(job) };
  }

  async #tryAgain({ code }: AsyncEndpointsError, name: string): Promise<Record<string, string>> {
    switch (code) {
      case 'QUEUE_FULL':
        return { 'Retry-After': await this.retryAfter.ofFullQueue(name) };
      case 'STORE_UNAVAILABLE':
      case 'STORE_FULL':
      case 'STORE_READ_ONLY':
      case 'TOO_MANY_WAITS':
      case 'TOO_MANY_WAITS_OF_OWNER':
        return { 'Retry-After': this.retryAfter.soon() };
      case 'SHUTTING_DOWN':
        return { 'Retry-After': this.retryAfter.soon(), Connection: 'close' };
      default:
        return {};
    }
  }

  #customRefusal(error: AsyncEndpointsError, request: HttpRequest, during: During, reply: Reply) {
    if (during === 'submission') return this.factories.apply('submissionError', error, request, reply);
    if (error.code === 'JOB_NOT_FOUND') return this.factories.apply('jobStatus', null, request, reply);
    return this.factories.apply('exception', error, request, reply);
  }
}

/** To have waited and to answer with the end is not to respond asynchronously. */
function applied({ respondAsync, wait }: Preferences, submitted?: JobRecord): { 'Preference-Applied'?: string } {
  const waited = wait === null ? [] : [`wait=${wait}`];
  const isAsync = respondAsync && submitted && !(wait !== null && isTerminal(submitted.status));
  const preferences = [...(isAsync ? ['respond-async'] : []), ...waited];
  return preferences.length > 0 ? { 'Preference-Applied': preferences.join(', ') } : {};
}

function pathOf({ url }: HttpRequest): string {
  return url.split('?', 1)[0] as string;
}
