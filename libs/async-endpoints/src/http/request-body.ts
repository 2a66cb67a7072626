import type { HttpRequest } from '../options.js';

/** Whether the client sends a body, read or not. */
export function hasBody({ headers }: HttpRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

export function contentTypeOf({ headers }: HttpRequest): string {
  return String(headers['content-type'] ?? '');
}

export function isMultipart(request: HttpRequest): boolean {
  return contentTypeOf(request).toLowerCase().startsWith('multipart/');
}

/** Whether no parser takes the body: an interceptor or the controller's method reads it, as upload or stream. */
export function isReadLater(request: HttpRequest): boolean {
  const { body } = request;
  if (isMultipart(request)) return true;
  if (body === undefined) return hasBody(request);
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}
