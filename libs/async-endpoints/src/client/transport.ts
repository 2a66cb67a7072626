import { Answer } from './answer.js';
import { backoffMs, isPassing } from './backoff.js';
import { AsyncEndpointsProblem, NoAnswerError } from './errors.js';
import type { HeaderValues, Settings } from './options.js';
import { TooLongError, wholeTextOf } from './read-body.js';
import { orAborted, pause, Scope } from './scope.js';

export interface Call {
  readonly method: string;
  readonly url: URL;
  readonly headers?: HeaderValues;
  /** JSON text. */
  readonly body?: string;
  readonly signal?: AbortSignal;
  /** Whether it is safe to send the request more than once. */
  readonly mayRepeat: boolean;
  /** How many seconds the server may hold the response, sent as `Prefer: wait`. Default 0. */
  readonly waitSeconds?: number;
}

/**
 * Sends requests to one origin, with a deadline, and repeats them when that is safe and may help. It does not follow redirects,
 * which would send headers and body, possibly credentials, to another server.
 */
export class Transport {
  constructor(readonly settings: Settings) {}

  /**
   * Returns the response, whatever its status; after repeats the last one.
   *
   * @throws NoAnswerError when no response came
   * @throws the reason of the signal, when it is aborted
   */
  async send(call: Call): Promise<Answer> {
    for (let failures = 1; ; failures++) {
      const outcome = await this.#attempt(call);
      if (outcome instanceof Answer && !isPassing(outcome.status)) return outcome;
      const { retry } = this.settings;
      const asked = outcome instanceof Answer ? outcome.retryAfterMs : null;
      const delayMs = call.mayRepeat && failures <= retry.limit ? backoffMs(failures, asked, retry) : null;
      if (delayMs === null) {
        if (outcome instanceof Answer) return outcome;
        throw new NoAnswerError(`${call.method} ${call.url.href}`, failures, outcome.failure);
      }
      await pause(delayMs, call.signal);
    }
  }

  /**
   * Returns the response of one attempt, with its body unread. The caller must end the scope. Aborting the scope ends the body.
   */
  async open(call: Call, scope: Scope): Promise<Response> {
    return this.#fetch(call, await this.#headersOf(call), scope);
  }

  /** Returns the response, or the reason why there is none. Throws only errors of the caller: its signal or its headers. */
  async #attempt(call: Call): Promise<Answer | { failure: unknown }> {
    const headers = await this.#headersOf(call);
    const scope = new Scope(call.signal);
    try {
      return await this.#read(await this.#fetch(call, headers, scope), scope);
    } catch (failure) {
      call.signal?.throwIfAborted();
      if (failure instanceof AsyncEndpointsProblem) throw failure;
      return { failure };
    } finally {
      scope.end();
    }
  }

  async #read(response: Response, scope: Scope): Promise<Answer> {
    const { status, headers } = response;
    try {
      const text = await wholeTextOf(response, scope.signal, this.settings.maxResponseBytes);
      return new Answer(status, headers, text);
    } catch (error) {
      throw error instanceof TooLongError ? new Answer(status, headers, '').unexpected(error.message) : error;
    }
  }

  async #fetch({ method, url, body, waitSeconds = 0 }: Call, headers: Headers, scope: Scope): Promise<Response> {
    const timeoutMs = this.settings.requestTimeoutMs + waitSeconds * 1_000;
    scope.limit(timeoutMs, () => new DOMException(`No answer within ${timeoutMs} ms`, 'TimeoutError'));
    const init: RequestInit & { cache: 'no-store' } = {
      method,
      headers,
      body,
      // The client keeps entity tags itself. With a browser cache it would get 200 instead of 304.
      cache: 'no-store',
      redirect: 'manual',
      signal: scope.signal,
    };
    const response = await this.settings.fetch(url.href, init);
    if (!isRedirect(response)) return response;
    response.body?.cancel().catch(() => {}); // the body is not needed
    throw new Answer(response.status, response.headers, '').unexpected(
      `${method} ${url.pathname} is redirected, and redirects are not followed. Give the final address as baseUrl.`,
    );
  }

  async #headersOf({ headers, body, signal, waitSeconds = 0 }: Call): Promise<Headers> {
    const all = new Headers(await orAborted(this.settings.headers(), signal));
    const own: HeaderValues = {
      Accept: 'application/json, application/problem+json',
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...(waitSeconds > 0 && { Prefer: `wait=${waitSeconds}` }),
      ...headers,
    };
    for (const [name, value] of Object.entries(own)) all.set(name, value);
    return all;
  }
}

/** Browsers hide everything about a redirect except that it is one. */
function isRedirect({ type, status }: Response): boolean {
  return type === 'opaqueredirect' || (status >= 300 && status < 400 && status !== 304);
}
