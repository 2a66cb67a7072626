import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { AsyncEndpointsError } from '../job/errors.js';
import type { HttpRequest } from '../options.js';
import { contentTypeOf, hasBody, isMultipart } from './request-body.js';
import { Responder } from './responder.js';

/**
 * Express passes a body of a type that nothing parses on as no body at all, and the DTO validation then blames the
 * client for missing fields. This says 415 instead, before the pipes run. (Fastify says so by itself.)
 */
@Injectable()
export class BodyReadGuard implements CanActivate {
  /** Without a responder it lets every request through: a unit test of a controller needs no `AsyncEndpointsModule`. */
  constructor(@Optional() @Inject(Responder) private readonly responder?: Responder) {}

  canActivate(context: ExecutionContext): true | Promise<true> {
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<HttpRequest>();
    if (request.body !== undefined || !this.responder || !hasBody(request)) return true;
    if (isMultipart(request)) return true; // read later, by an interceptor
    return this.#refuse(this.responder, contentTypeOf(request), request);
  }

  async #refuse(responder: Responder, type: string, request: HttpRequest): Promise<never> {
    const error = new AsyncEndpointsError('UNSUPPORTED_MEDIA_TYPE', `Content type "${type}" is not supported here.`);
    throw await responder.refusal(error, request, 'submission');
  }
}
