import type { RequestSnapshot, RequestValue } from '../job/job.js';
import { isCredential } from '../job/credentials.js';
import type { HttpRequest } from '../options.js';

/** What a handler may know of the request, as text: the headers asked for, route and query values; never a credential. */
export function snapshot(request: HttpRequest, captureHeaders: readonly string[]): RequestSnapshot {
  return {
    headers: captureHeaders.flatMap((name) => valuesOf(name, request.headers[name.toLowerCase()])),
    routeParams: pairs(request.params),
    queryParams: pairs(request.query),
  };
}

function pairs(values: unknown): RequestValue[] {
  const named = Object.entries(values ?? {}).filter(([name]) => !isCredential(name));
  return named.flatMap(([name, value]) => valuesOf(name, value));
}

function valuesOf(name: string, value: unknown): RequestValue[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item) => valuesOf(name, item));
  return [[name, typeof value === 'string' ? value : JSON.stringify(value, withoutCredentials)]];
}

/** A query such as `user[password]=…` is an object to some parsers. */
function withoutCredentials(name: string, value: unknown): unknown {
  return isCredential(name) ? undefined : value;
}
