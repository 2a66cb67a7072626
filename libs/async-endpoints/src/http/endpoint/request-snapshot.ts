import { isCredential, withoutCredentials } from '../../job/credentials.js';
import type { RequestSnapshot, RequestValue } from '../../job/job.js';
import type { HttpRequest } from '../../options/options.js';
import type { DeclaredValues } from './declared-values.js';

/** A header that handlers can read: its name for handlers, and its key in Node. */
interface CapturedHeader {
  readonly name: string;
  readonly key: string;
}

export interface Captured {
  readonly headers: readonly CapturedHeader[];
  /** Query values of every endpoint. */
  readonly queryParams: ReadonlySet<string>;
  /** Called with each value that is left out, and what its endpoint declares. */
  onWithheld(declared: DeclaredValues, option: 'queryParams' | 'routeParams', name: string): void;
}

/**
 * The values of a request that its handler can read, as text: the configured headers and query values, and route values. A value
 * whose name looks like a credential is passed only when the endpoint names it. Undefined when there is none.
 */
export function snapshot(
  request: HttpRequest,
  captured: Captured,
  declared: DeclaredValues,
): RequestSnapshot | undefined {
  const headers: RequestValue[] = [];
  for (const { name, key } of captured.headers) {
    const value = request.headers[key];
    if (value !== undefined) headers.push(...valuesOf(name, value));
  }
  const routeParams = pairs(request.params, (name) => {
    if (!isCredential(name) || declared.routeParams.has(name)) return true;
    return captured.onWithheld(declared, 'routeParams', name);
  });
  const queryParams = pairs(request.query, (name) => {
    if (declared.queryParams.has(name) || captured.queryParams.has(name)) return true;
    return captured.onWithheld(declared, 'queryParams', name);
  });
  // Most requests have none. Then nothing is stored.
  if (headers.length + routeParams.length + queryParams.length === 0) return undefined;
  return { headers, routeParams, queryParams };
}

function pairs(values: unknown, isPassed: (name: string) => true | void): RequestValue[] {
  const pairsOf: RequestValue[] = [];
  for (const name of Object.keys(values ?? {})) {
    if (isPassed(name)) pairsOf.push(...valuesOf(name, (values as Record<string, unknown>)[name]));
  }
  return pairsOf;
}

function valuesOf(name: string, value: unknown): RequestValue[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item) => valuesOf(name, item));
  return [[name, typeof value === 'string' ? value : JSON.stringify(value, withoutCredentials)]];
}
