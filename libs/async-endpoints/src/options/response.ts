import type { InjectionToken } from '@nestjs/common';
import type { AsyncEndpointsError } from '../job/errors.js';
import type { Job } from '../job/job.js';
import { type Given, hook, option, type OptionsOf } from './rules.js';

/** The members of a request that the library reads. It is the request object of Express or Fastify, with all its members. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly params?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
}

/** A response: status code, headers, and a body that is sent as JSON. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface ResponseContext {
  readonly request: HttpRequest;
  /** The response without the factory. Return a changed copy, or another response. */
  readonly reply: Reply;
  /** Any provider of the application that is not request-scoped. */
  get<T>(token: InjectionToken<T>): T;
}

type Factory<TSubject> = (subject: TSubject, context: ResponseContext) => Reply | Promise<Reply>;

/** Hooks that change responses. Each may be async. */
export const RESPONSE = {
  /** A job was accepted, or the same submission was accepted before. */
  jobSubmitted: option(() => undefined, hook<Factory<Job & { readonly replayed: boolean }>>()),
  /** A client read or canceled a job. The job is `null` when there is none for this client. */
  jobStatus: option(() => undefined, hook<Factory<Job | null>>()),
  /** A submission was refused: conflict, queue full, too large, store unreachable, shutting down. */
  submissionError: option(() => undefined, hook<Factory<AsyncEndpointsError>>()),
  /** Any other error in the library's part of a request. */
  exception: option(() => undefined, hook<Factory<unknown>>()),
};

export type ResponseOptions = Given<OptionsOf<typeof RESPONSE>>;
