import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Inject, Injectable } from '@nestjs/common';
import { AsyncEndpointsError } from '../job/errors.js';
import type { HttpRequest } from '../options.js';
import { Responder } from './responder.js';

/**
 * Express passes a body of a type that nothing parses on as no body at all, and the DTO validation then blames the
 * client for missing fields. This says 415 instead, before the pipes run. (Fastify says so by itself.)
 */
@Injectable()
export class BodyReadGuard implements CanActivate {
  constructor(@Inject(Responder) private readonly responder: Responder) {}

  canActivate(context: ExecutionContext): true | Promise<true> {
    const request = context.switchToHttp().getRequest<HttpRequest>();
    if (request.body !== undefined || !hasBody(request)) return true;
    const type = String(request.headers['content-type'] ?? '');
    if (type.toLowerCase().startsWith('multipart/')) return true; // read later, by an interceptor
    return this.#refuse(type, request);
  }

  async #refuse(type: string, request: HttpRequest): Promise<never> {
    const error = new AsyncEndpointsError('UNSUPPORTED_MEDIA_TYPE', `Content type "${type}" is not supported here.`);
    throw await this.responder.refusal(error, request, 'submission');
  }
}

function hasBody({ headers }: HttpRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
