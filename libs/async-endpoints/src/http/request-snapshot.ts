import type { RequestSnapshot, RequestValue } from '../job/job.js';
import { isCredential } from '../job/credentials.js';
import type { HttpRequest } from '../options.js';

/** What a handler may know of the request, as text: the headers asked for, route values, and query values but credentials. */
export function snapshot(request: HttpRequest, captureHeaders: readonly string[]): RequestSnapshot {
  return {
    headers: captureHeaders.flatMap((name) => valuesOf(name, request.headers[name.toLowerCase()])),
    routeParams: pairs(request.params),
    queryParams: pairs(request.query).filter(([name]) => !isCredential(name)),
  };
}

function pairs(values: unknown): RequestValue[] {
  return Object.entries(values ?? {}).flatMap(([name, value]) => valuesOf(name, value));
}

function valuesOf(name: string, value: unknown): RequestValue[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item) => valuesOf(name, item));
  return [[name, typeof value === 'string' ? value : JSON.stringify(value)]];
}
