import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Reply } from '../options.js';
import { writeHeaders } from './write-headers.js';

/** A refusal on its way out: to interceptors an `HttpException` like any other. */
export class ReplyException extends HttpException {
  constructor(
    readonly reply: Reply,
    options?: { cause?: unknown },
  ) {
    super((reply.body ?? {}) as Record<string, unknown>, reply.status, options);
  }
}

/** Sends a refusal with its own headers and media type. */
@Catch(ReplyException)
export class ReplyFilter implements ExceptionFilter<ReplyException> {
  constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost) {}

  catch({ reply }: ReplyException, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<unknown>();
    const { httpAdapter } = this.host;
    writeHeaders(httpAdapter, response, reply.headers);
    // Not as an argument of reply, or Nest 11 on Express would make application/json of any other media type.
    httpAdapter.status(response, reply.status);
    httpAdapter.reply(response, reply.body);
  }
}
