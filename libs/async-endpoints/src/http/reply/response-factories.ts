import { invalidOption } from '../../job/errors.js';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { logError } from '../../events/error-text.js';
import {
  type HttpRequest,
  OPTIONS,
  type Reply,
  type ResolvedOptions,
  type ResponseContext,
  type ResponseOptions,
} from '../../options/options.js';

/** The first argument of a hook. */
type Subject<K extends keyof ResponseOptions> = ResponseOptions[K] extends
  ((subject: infer TSubject, context: ResponseContext) => unknown) | undefined
  ? TSubject
  : never;

/** Lets the application's hooks change each response. */
@Injectable()
export class ResponseFactories {
  readonly #logger = new Logger('AsyncEndpoints');

  constructor(
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
  ) {}

  apply<K extends keyof ResponseOptions>(
    name: K,
    subject: Subject<K>,
    request: HttpRequest,
    reply: Reply,
  ): Reply | Promise<Reply> {
    const factory = this.options.response[name] as
      ((on: typeof subject, context: ResponseContext) => Reply | Promise<Reply>) | undefined;
    if (!factory) return reply;
    const get: ResponseContext['get'] = (token) => this.moduleRef.get(token, { strict: false });
    const make = async () => checked(await factory(subject, { request, reply, get }));
    // A factory that throws must not hide what happened: the job is queued all the same.
    return make().catch((error: unknown) => {
      logError(this.#logger, `response.${name} failed; answering as if there were none`, error);
      return reply;
    });
  }
}

/** What only JavaScript, or a cast, can return must not become a 500 for a job that is queued. */
function checked(reply: Reply | undefined): Reply {
  if (reply?.headers && reply.status >= 200 && reply.status <= 599) return reply;
  throw invalidOption('It returned no { status, headers, body }.');
}
