import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  Inject,
  type OnModuleInit,
  Optional,
} from '@nestjs/common';
import { type AbstractHttpAdapter, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { invalidEndpoint } from '../../job/errors.js';
import { OPTIONS, type Reply, type ResolvedOptions } from '../../options/options.js';

/** A refusal as an exception. Interceptors see an ordinary `HttpException`. */
export class ReplyException extends HttpException {
  constructor(
    readonly reply: Reply,
    options?: { cause?: unknown },
  ) {
    super((reply.body ?? {}) as Record<string, unknown>, reply.status, options);
  }
}

/**
 * Sends a refusal with its own headers and media type. Nest makes one for every module with async endpoints, so this class also
 * refuses an application without `AsyncEndpointsModule`.
 */
@Catch(ReplyException)
export class ReplyFilter implements ExceptionFilter<ReplyException>, OnModuleInit {
  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Optional() @Inject(OPTIONS) private readonly options?: ResolvedOptions,
  ) {}

  /**
   * Unit tests construct controllers without HTTP and may leave out the module.
   *
   * @throws AsyncEndpointsError `INVALID_ENDPOINT`
   */
  onModuleInit(): void {
    if (this.options || !(this.host.httpAdapter as unknown)) return;
    const here = [...this.modules.values()].find(({ injectables }) => injectables.get(ReplyFilter)?.instance === this);
    const module = here?.name ?? 'A module';
    throw invalidEndpoint(
      `${module} has a controller with @AsyncEndpoint, but AsyncEndpointsModule is missing. Add ` +
        `AsyncEndpointsModule.forRoot() to the imports of the root module, or of ${module} with isGlobal: false.`,
    );
  }

  catch({ reply }: ReplyException, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<unknown>();
    const { httpAdapter } = this.host;
    writeHeaders(httpAdapter, response, reply.headers);
    // Not as an argument of reply: Nest 11 on Express would replace the media type by application/json.
    httpAdapter.status(response, reply.status);
    httpAdapter.reply(response, reply.body);
  }
}

/** Sets headers. Adds to `Vary`, which other code, such as CORS, sets too. */
export function writeHeaders(
  adapter: AbstractHttpAdapter,
  response: unknown,
  headers: Readonly<Record<string, string>>,
): void {
  for (const name in headers) {
    const value = headers[name] as string;
    const isVary = name.length === 4 && name.toLowerCase() === 'vary';
    const others = isVary ? (adapter.getHeader(response, name) as string | string[] | undefined) : undefined;
    adapter.setHeader(response, name, others === undefined ? value : [others, value].flat().join(', '));
  }
}
