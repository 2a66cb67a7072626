import { type CanActivate, type ExecutionContext, Inject, Injectable, Optional } from '@nestjs/common';
import { AsyncEndpointsError } from '../../job/errors.js';
import type { HttpRequest } from '../../options/options.js';
import { Responder } from '../reply/responder.js';

/**
 * Refuses a body that no parser has read with a 415, before the pipes run. Express would pass it on as no body, and the validation
 * would report missing fields. Fastify refuses such a body by itself.
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

/** Whether the client sends a body, read or not. */
function hasBody({ headers }: HttpRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function contentTypeOf({ headers }: HttpRequest): string {
  return String(headers['content-type'] ?? '');
}

function isMultipart(request: HttpRequest): boolean {
  return contentTypeOf(request).toLowerCase().startsWith('multipart/');
}

/** Whether no parser takes the body: an interceptor or the controller's method reads it, as upload or stream. */
export function isReadLater(request: HttpRequest): boolean {
  const { body } = request;
  if (isMultipart(request)) return true;
  if (body === undefined) return hasBody(request);
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}
