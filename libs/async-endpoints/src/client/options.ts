import { InvalidOptionError } from './errors.js';
/** Headers by name. */
export type HeaderValues = Record<string, string>;

/** The part of `fetch` that the client needs. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A path below `baseUrl`, for `POST`; or a path and its method. */
export type Route = string | { readonly path: string; readonly method?: SubmissionMethod };

export type SubmissionMethod = 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** How a request is repeated, when repeating it is safe. */
export interface RetryOptions {
  /**
   * The most repeats after the first attempt, and the most reconnects of a stream in a row without a new state. Default 5; 0 for
   * none.
   */
  limit?: number | undefined;
  /** The delay before the first repeat, in milliseconds; it doubles each time, less a random half. Default 500. */
  baseDelayMs?: number | undefined;
  /** The longest delay, in milliseconds. When `Retry-After` is longer, the problem is thrown at once. Default 60,000. */
  maxDelayMs?: number | undefined;
}

export interface ClientOptions {
  /**
   * The URL of the application, with its prefix if it has one: `https://example.com/gateway`. Requests and their `headers` go to
   * this origin only. Default: in a browser, the origin of the page.
   */
  baseUrl?: string | undefined;
  /** Replaces the global `fetch`, for example to send cookies to another origin, or to trace or test. */
  fetch?: Fetch | undefined;
  /** Headers of every request, such as `Authorization`. A function is called before each attempt. Default none. */
  headers?: (HeaderValues | (() => HeaderValues | Promise<HeaderValues>)) | undefined;
  /** The endpoints by the names of their jobs, for `submit` without `path`. Default none. */
  routes?: Readonly<Record<string, Route>> | undefined;
  /** The path of the status routes below `baseUrl`, needed only to find a job by its id. Default `/jobs`. */
  statusPath?: string | undefined;
  /**
   * How long the server may hold a response while the client waits, in milliseconds, rounded down to seconds; at most an hour.
   * With less than a second, the client polls. Default 20,000.
   */
  longPollMs?: number | undefined;
  /** How long one attempt may take, in addition to the time that the server holds it, in milliseconds. Default 30,000. */
  requestTimeoutMs?: number | undefined;
  /** How long a stream of events may be silent, in milliseconds; the server writes every 15 s. Default 45,000. */
  streamIdleMs?: number | undefined;
  /**
   * The longest response, and the longest event of a stream, in bytes. A longer one is a problem with the code
   * `UNEXPECTED_ANSWER`. Default 16 MiB.
   */
  maxResponseBytes?: number | undefined;
  retry?: RetryOptions | undefined;
}

/** The longest timeout of a timer, in milliseconds. A longer timer would fire at once. */
export const LONGEST_TIMER_MS = 2_147_483_647;
/** The longest time that a server can be configured to hold a response, in milliseconds. */
export const LONGEST_WAIT_MS = 3_600_000;

/** The options with all defaults. */
export interface Settings {
  readonly baseUrl: URL;
  readonly fetch: Fetch;
  readonly headers: () => HeaderValues | Promise<HeaderValues>;
  readonly routes: Readonly<Record<string, Route>>;
  readonly statusPath: string;
  readonly longPollMs: number;
  readonly requestTimeoutMs: number;
  readonly streamIdleMs: number;
  readonly maxResponseBytes: number;
  readonly retry: Readonly<Required<RetryOptions>>;
}

/** @throws InvalidOptionError for an invalid base URL or a number out of bounds */
export function settingsOf(options: ClientOptions): Settings {
  const { headers = {}, fetch = globalThis.fetch, retry = {} } = options;
  return {
    baseUrl: baseUrlOf(options.baseUrl),
    // Browsers require that `fetch` is called without `this`.
    fetch: (url, init) => fetch(url, init),
    headers: typeof headers === 'function' ? headers : () => headers,
    routes: options.routes ?? {},
    statusPath: options.statusPath ?? '/jobs',
    longPollMs: numberFrom0('longPollMs', options.longPollMs ?? 20_000, LONGEST_WAIT_MS),
    requestTimeoutMs: numberFrom0('requestTimeoutMs', options.requestTimeoutMs ?? 30_000, LONGEST_TIMER_MS),
    streamIdleMs: numberFrom0('streamIdleMs', options.streamIdleMs ?? 45_000, LONGEST_TIMER_MS),
    maxResponseBytes: numberFrom0('maxResponseBytes', options.maxResponseBytes ?? 16 * 1024 * 1024, Infinity),
    retry: {
      limit: numberFrom0('retry.limit', retry.limit ?? 5, Infinity),
      baseDelayMs: numberFrom0('retry.baseDelayMs', retry.baseDelayMs ?? 500, LONGEST_TIMER_MS),
      maxDelayMs: numberFrom0('retry.maxDelayMs', retry.maxDelayMs ?? 60_000, LONGEST_TIMER_MS),
    },
  };
}

function baseUrlOf(given: string | undefined): URL {
  const page = (globalThis as { location?: { href: string } }).location?.href;
  try {
    const url = new URL(given ?? '/', page);
    if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  } catch {
    // thrown below
  }
  throw new InvalidOptionError(`baseUrl is ${JSON.stringify(given)}; expected an http or https URL`);
}

/** @throws InvalidOptionError for anything but a number from 0 to `largest` */
export function numberFrom0(name: string, value: number, largest: number): number {
  if (typeof value === 'number' && value >= 0 && value <= largest) return value;
  throw new InvalidOptionError(
    `${name} is ${String(value)}; expected a number from 0${largest < Infinity ? ` to ${largest}` : ''}`,
  );
}
