type Properties = Readonly<Record<string, unknown>>;

/** The value of a property of a thrown value; undefined when it cannot be read. */
export function propertyOf(thrown: unknown, name: string): unknown {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  try {
    return (thrown as Properties)[name];
  } catch {
    return undefined;
  }
}

/** The text in a property of a thrown value; undefined when there is none. Drivers throw errors of any shape. */
export function textPropertyOf(thrown: unknown, name: string): string | undefined {
  const value = propertyOf(thrown, name);
  return typeof value === 'string' ? value : undefined;
}

/** The value as text, also when it cannot be converted. */
export function describeThrown(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return 'An error that cannot be described.';
  }
}

/** What an HTTP exception says: one of Nest's, or anything with its methods `getStatus` and `getResponse`. */
export interface HttpFailure {
  readonly status: number;
  /** The list of messages in its body, as of a `ValidationPipe`. */
  readonly messages: readonly unknown[] | undefined;
  /** Its `Retry-After` in ms; null when it is missing or invalid. */
  readonly retryAfterMs: number | null;
}

/** Those that say "not now". */
const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 425, 429]);

export function httpFailureOf(thrown: unknown): HttpFailure | null {
  const status = call(thrown, 'getStatus');
  if (typeof status !== 'number' || typeof propertyOf(thrown, 'getResponse') !== 'function') return null;
  const body = call(thrown, 'getResponse');
  const messages = propertyOf(body, 'message');
  return { status, messages: Array.isArray(messages) ? messages : undefined, retryAfterMs: retryAfterMs(thrown, body) };
}

/** Whether trying again cannot help. */
export function isPermanent({ status }: HttpFailure): boolean {
  return status >= 400 && status < 500 && !PASSING_STATUSES.has(status);
}

/** From a header of the exception, or from `retryAfter` of it or of its body: in seconds, or an HTTP date. */
function retryAfterMs(thrown: unknown, body: unknown): number | null {
  const headers = [propertyOf(thrown, 'headers'), propertyOf(body, 'headers'), call(thrown, 'getHeaders')];
  const said = headers.flatMap((one) => [propertyOf(one, 'retry-after'), propertyOf(one, 'Retry-After')]);
  const [value] = [...said, propertyOf(thrown, 'retryAfter'), propertyOf(body, 'retryAfter')].filter(
    (one) => typeof one === 'number' || typeof one === 'string',
  );
  if (value === undefined || value === '') return null;
  const seconds = Number(value);
  if (!Number.isNaN(seconds)) return seconds >= 0 && seconds < Infinity ? seconds * 1_000 : null;
  const at = Date.parse(value as string);
  return Number.isNaN(at) ? null : Math.max(at - Date.now(), 0);
}

function call(thrown: unknown, name: string): unknown {
  const method = propertyOf(thrown, name);
  if (typeof method !== 'function') return undefined;
  try {
    return method.call(thrown) as unknown;
  } catch {
    return undefined;
  }
}
