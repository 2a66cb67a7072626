import { randomUUID } from 'node:crypto';
import { HttpException, Inject, Injectable, Logger } from '@nestjs/common';
import { HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { AsyncEndpointsError, type ErrorCode } from '../job/errors.js';
import { isTerminal, type Job } from '../job/job.js';
import type { SubmittedJob } from '../job-manager.js';
import {
  type HttpRequest,
  OPTIONS,
  type Reply,
  type ResolvedOptions,
  type ResponseContext,
  type ResponseOptions,
} from '../options.js';
import { JobLinks } from './job-links.js';
import { represent } from './job-representation.js';
import { isAnswerable, problemReply } from './problem.js';
import { ReplyException } from './reply.filter.js';

const RETRY_LATER: readonly ErrorCode[] = ['QUEUE_FULL', 'STORE_UNAVAILABLE', 'SHUTTING_DOWN'];

/** Makes the answers: the contract's, as changed by the application's response factories. */
@Injectable()
export class Responder {
  readonly #logger = new Logger('AsyncEndpoints');
  readonly #retryAfter: { readonly 'Retry-After': string };

  constructor(
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
    @Inject(JobLinks) private readonly links: JobLinks,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
  ) {
    this.#retryAfter = { 'Retry-After': String(options.http.retryAfterSeconds) };
  }

  /** 202 with the job, or 200 where a replayed job has already ended. */
  submitted(job: SubmittedJob, request: HttpRequest): Reply | Promise<Reply> {
    const links = this.links.of(job.id);
    const ended = isTerminal(job.status);
    const reply: Reply = {
      status: ended ? 200 : 202,
      headers: {
        Location: links.self,
        'X-Async-Request-Id': job.id,
        ...(!ended && this.#retryAfter),
        ...(job.replayed && { 'Idempotency-Replayed': 'true' }),
        ...(asksForAsync(request) && { 'Preference-Applied': 'respond-async' }),
      },
      body: represent(job, links),
    };
    return this.#custom('jobSubmitted', job, request, reply);
  }

  /** 200 with a finished job, 202 (or as configured) with another. */
  status(job: Job, request: HttpRequest): Reply | Promise<Reply> {
    const links = this.links.of(job.id);
    const headers = { 'Cache-Control': 'private, no-cache' };
    const body = represent(job, links);
    const reply: Reply = isTerminal(job.status)
      ? { status: 200, headers, body }
      : {
          status: this.options.http.unfinishedStatus,
          headers: { ...headers, ...this.#retryAfter, Location: links.self },
          body,
        };
    return this.#custom('jobStatus', job, request, reply);
  }

  /** The bare result of a completed job; anything else is a refusal or another 202. */
  async result(job: Job, request: HttpRequest): Promise<Reply> {
    switch (job.status) {
      case 'Completed':
        return {
          status: job.result === null ? 204 : 200,
          headers: { 'Cache-Control': 'private, no-cache' },
          body: job.result,
        };
      case 'Failed':
        throw new AsyncEndpointsError('JOB_FAILED', undefined, { details: { error: job.error } });
      case 'Canceled':
        throw new AsyncEndpointsError('JOB_CANCELED');
      default:
        return { ...(await this.status(job, request)), status: 202 };
    }
  }

  /**
   * The exception that answers what went wrong in our part of a request. An `HttpException`, such as one thrown by the
   * `owner` option, stays what it is. A fault's message stays in the log, under an id that the client is given.
   */
  async refusal(error: unknown, request: HttpRequest, during: 'submission' | 'status'): Promise<unknown> {
    if (error instanceof HttpException) return error;
    const instance = pathOf(request);
    if (!isAnswerable(error)) {
      const correlationId = randomUUID();
      this.#logger.error(`${request.method} ${instance} failed (correlation id ${correlationId})`, error);
      const fault = problemReply(
        new AsyncEndpointsError('INTERNAL_ERROR', undefined, { details: { correlationId } }),
        instance,
      );
      return new ReplyException(await this.#custom('exception', error, request, fault), { cause: error });
    }
    const headers = {
      ...(RETRY_LATER.includes(error.code) && this.#retryAfter),
      ...(error.code === 'SHUTTING_DOWN' && { Connection: 'close' }),
    };
    const reply = problemReply(error, instance, headers);
    return new ReplyException(await this.#customRefusal(error, request, during, reply), { cause: error });
  }

  /** Writes status and headers; Nest writes the body that is returned, but as JSON only where it is an object. */
  send(response: unknown, { status, headers, body }: Reply): unknown {
    const { httpAdapter } = this.host;
    const isScalar = body !== undefined && typeof body !== 'object';
    if (isScalar) httpAdapter.setHeader(response, 'Content-Type', 'application/json');
    for (const name in headers) httpAdapter.setHeader(response, name, headers[name] as string);
    httpAdapter.status(response, status);
    return isScalar ? JSON.stringify(body) : body;
  }

  #customRefusal(error: AsyncEndpointsError, request: HttpRequest, during: 'submission' | 'status', reply: Reply) {
    if (during === 'submission') return this.#custom('submissionError', error, request, reply);
    if (error.code === 'JOB_NOT_FOUND') return this.#custom('jobStatus', null, request, reply);
    return this.#custom('exception', error, request, reply);
  }

  #custom<K extends keyof ResponseOptions>(
    name: K,
    subject: Parameters<NonNullable<ResponseOptions[K]>>[0],
    request: HttpRequest,
    reply: Reply,
  ): Reply | Promise<Reply> {
    const factory = this.options.response[name] as
      ((on: typeof subject, context: ResponseContext) => Reply | Promise<Reply>) | undefined;
    if (!factory) return reply;
    const get: ResponseContext['get'] = (token) => this.moduleRef.get(token, { strict: false });
    return this.#orDefault(name, async () => checked(await factory(subject, { request, reply, get })), reply);
  }

  /** A factory that throws must not hide what happened: the job is queued all the same. */
  async #orDefault(name: string, make: () => Promise<Reply>, reply: Reply): Promise<Reply> {
    try {
      return await make();
    } catch (error) {
      this.#logger.error(`response.${name} failed; answering as if there were none`, error);
      return reply;
    }
  }
}

/** What only JavaScript, or a cast, can return must not become a 500 for a job that is queued. */
function checked(reply: Reply | undefined): Reply {
  if (reply?.headers && reply.status >= 200 && reply.status <= 599) return reply;
  throw new TypeError('It returned no { status, headers, body }.');
}

function asksForAsync({ headers }: HttpRequest): boolean {
  return /(^|[,;\s])respond-async([,;\s]|$)/i.test(String(headers.prefer ?? ''));
}

function pathOf({ url }: HttpRequest): string {
  return url.split('?', 1)[0] as string;
}
