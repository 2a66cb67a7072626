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
  /** Whether it does no harm to send it more than once. */
  readonly mayRepeat: boolean;
  /** For how many seconds the server may hold the answer: sent as `Prefer: wait`. Default 0: not at all. */
  readonly waitSeconds?: number;
}

/**
 * Sends requests: to one origin, in bounded time, and again where that is safe and may help. Redirects are not followed: they
 * would take headers and body, which may be credentials, to wherever the server says.
 */
export class Transport {
  constructor(readonly settings: Settings) {}

  /**
   * The answer, whatever its status; the last one, where repeating did not help.
   *
   * @throws NoAnswerError where none came
   * @throws the reason of the signal, once it is aborted
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

  /** The answer with its body unread, after one attempt. Its scope is the caller's to end, and ends the body if aborted. */
  async open(call: Call, scope: Scope): Promise<Response> {
    return this.#fetch(call, await this.#headersOf(call), scope);
  }

  /** An answer, or why there is none; throws only what the caller is to blame for: its signal, its headers. */
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
      // Entity tags are kept here; a cache in between would answer 200 where 304 says more.
      cache: 'no-store',
      redirect: 'manual',
      signal: scope.signal,
    };
    const response = await this.settings.fetch(url.href, init);
    if (!isRedirect(response)) return response;
    response.body?.cancel().catch(() => {}); // nobody reads it
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

/** Browsers reveal only that there is a redirect. */
function isRedirect({ type, status }: Response): boolean {
  return type === 'opaqueredirect' || (status >= 300 && status < 400 && status !== 304);
}
