import { randomUUID } from 'node:crypto';
import { HttpException, Inject, Injectable, Logger } from '@nestjs/common';
import { logError } from '../../events/error-text.js';
import { decodeJob } from '../../job/decode-job.js';
import { AsyncEndpointsError, type ErrorCode, publicError } from '../../job/errors.js';
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
import { ResponseWriter, type Route } from './response-writer.js';
import { RetryAfter } from './retry-after.js';
import { hasResult, JobBody, ResultBody } from './job-body.js';

/** A response with a job changes with the job, and depends on the caller and on `Prefer`. */
const REVALIDATED = { 'Cache-Control': 'private, no-cache', Vary: 'Prefer' };

/** A result or an error may hold anything: browsers must not store it or interpret it as a page. */
const ENDED = { 'Cache-Control': 'private, no-store', ...NOT_SNIFFED };

/** Conditions that pass soon and do not depend on a queue. */
const PASSING: readonly ErrorCode[] = [
  'STORE_UNAVAILABLE',
  'STORE_FULL',
  'STORE_READ_ONLY',
  'TOO_MANY_WAITS',
  'TOO_MANY_WAITS_OF_OWNER',
  'SHUTTING_DOWN',
];

type During = 'submission' | 'status';
/** Filled field by field: V8 is slow to add fields to a copy (docs/decisions/0034). */
type Headers = Record<string, string>;

/** Makes the responses of the contract, and applies the application's response factories. */
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

  /** 202 with the job, or 200 when it is terminal. */
  submitted({ job, replayed }: Accepted, request: HttpRequest, preferences: Preferences): Reply | Promise<Reply> {
    const links = this.links.of(job.id, request);
    const isEnded = isTerminal(job.status);
    const headers: Headers = { Location: links.self, 'X-Async-Request-Id': job.id };
    if (!isEnded) headers['Retry-After'] = this.retryAfter.of(job);
    if (replayed) headers['Idempotency-Replayed'] = 'true';
    addApplied(headers, preferences, job);
    if (isEnded) Object.assign(headers, ENDED);
    return this.#show('jobSubmitted', job, request, links, { status: isEnded ? 200 : 202, headers });
  }

  /**
   * The 304 for a completed job that the client has, made before anything else; null for any other response, and where
   * `response.jobStatus` may choose another entity tag.
   */
  unchanged(job: JobRecord, request: HttpRequest, preferences: Preferences): Reply | null {
    if (request.headers['if-none-match'] === undefined) return null;
    if (job.status !== 'Completed' || this.options.response.jobStatus) return null;
    const entityTag = entityTagOf(job);
    if (!isKnownTo(request, entityTag)) return null;
    return { status: 304, headers: this.#headers(job, preferences, entityTag), body: undefined };
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
   * The result of a completed job. A failed or canceled job is a refusal, any other a 202. The 202 has no `Location`: a poller
   * would follow it to the status route and take the terminal job for the result.
   */
  async result(job: JobRecord, request: HttpRequest, preferences: Preferences): Promise<Reply> {
    switch (job.status) {
      case 'Completed': {
        const headers = this.#headers(job, preferences);
        return hasResult(job)
          ? { status: 200, headers, body: new ResultBody(job) }
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
   * The exception for an error in the library's part of a request. An `HttpException`, such as one of the `owner` option, is
   * returned unchanged. The message of a fault is logged with an id that the client gets, and is not sent.
   *
   * @param name the name of the job, when a submission was refused
   */
  async refusal(error: unknown, request: HttpRequest, during: During, name = ''): Promise<unknown> {
    if (error instanceof HttpException) return error;
    const instance = request.url.split('?', 1)[0] as string;
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

  send(response: unknown, reply: Reply, route: Route): unknown {
    return this.writer.write(response, reply, route);
  }

  #show(
    hook: 'jobStatus' | 'jobSubmitted',
    job: JobRecord,
    request: HttpRequest,
    links: Links,
    { status, headers }: Omit<Reply, 'body'>,
  ): Reply | Promise<Reply> {
    const { showAttempts } = this.options.http;
    if (!this.options.response[hook]) return { status, headers, body: new JobBody(job, links, showAttempts) };
    const decoded = decodeJob(job);
    const body = represent(job, decoded.result, links, showAttempts);
    const replayed = hook === 'jobSubmitted' && { replayed: 'Idempotency-Replayed' in headers };
    const subject = presentable(Object.assign(decoded, replayed as { replayed: boolean }), body);
    return this.factories.apply(hook, subject, request, { status, headers, body });
  }

  #headers(job: JobRecord, preferences?: Preferences, entityTag = entityTagOf(job)): Headers {
    const isEnded = isTerminal(job.status);
    const { Vary } = REVALIDATED;
    const headers: Headers = {
      'Cache-Control': (isEnded ? ENDED : REVALIDATED)['Cache-Control'],
      Vary,
      ETag: entityTag,
    };
    if (!isEnded) headers['Retry-After'] = this.retryAfter.of(job);
    if (preferences) addApplied(headers, preferences);
    return isEnded ? Object.assign(headers, NOT_SNIFFED) : headers;
  }

  async #tryAgain({ code }: AsyncEndpointsError, name: string): Promise<Headers> {
    if (code === 'QUEUE_FULL') return { 'Retry-After': await this.retryAfter.ofFullQueue(name) };
    if (!PASSING.includes(code)) return {};
    return { 'Retry-After': '1', ...(code === 'SHUTTING_DOWN' && { Connection: 'close' }) };
  }

  #customRefusal(error: AsyncEndpointsError, request: HttpRequest, during: During, reply: Reply) {
    if (during === 'submission') return this.factories.apply('submissionError', error, request, reply);
    if (error.code === 'JOB_NOT_FOUND') return this.factories.apply('jobStatus', null, request, reply);
    return this.factories.apply('exception', error, request, reply);
  }
}

/** `respond-async` did not apply when the response waited and has the terminal job. */
function addApplied(headers: Headers, { respondAsync, wait }: Preferences, submitted?: JobRecord): void {
  if (!respondAsync && wait === null) return;
  const isAsync = respondAsync && submitted && !(wait !== null && isTerminal(submitted.status));
  const preferences = [...(isAsync ? ['respond-async'] : []), ...(wait === null ? [] : [`wait=${wait}`])];
  if (preferences.length > 0) headers['Preference-Applied'] = preferences.join(', ');
}
