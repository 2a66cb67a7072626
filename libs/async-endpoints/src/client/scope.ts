import { LONGEST_TIMER_MS } from './options.js';

/**
 * The lifetime of an operation. It is aborted when the signal of the caller is aborted, when its time is up, or by `abort`.
 * Always end it, so that no timer and no listener of a long-lived signal stays behind.
 */
export class Scope {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #abortWithOuter = () => this.abort(this.#outer?.reason);
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(outer?: AbortSignal) {
    this.#outer = outer;
    if (outer?.aborted) this.abort(outer.reason);
    else outer?.addEventListener('abort', this.#abortWithOuter, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Aborts the scope after `ms` milliseconds, never for `Infinity`. Replaces an earlier limit. */
  limit(ms: number, reason: () => unknown): void {
    clearTimeout(this.#timer);
    if (ms <= LONGEST_TIMER_MS) this.#timer = setTimeout(() => this.abort(reason()), ms);
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#abortWithOuter);
  }
}

/** Settles like the promise, or rejects with the reason of the signal if that is aborted first. */
export async function orAborted<T>(promise: T | Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  signal?.throwIfAborted();
  const scope = new Scope(signal);
  try {
    const aborted = new Promise<never>((_, reject) => {
      scope.signal.addEventListener('abort', () => reject(scope.signal.reason));
    });
    return await Promise.race([promise, aborted]);
  } finally {
    scope.end();
  }
}

/** Resolves after `ms` milliseconds. Rejects with the reason of the signal if that is aborted before. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  if (ms <= 0) return;
  const scope = new Scope(signal);
  try {
    await new Promise<void>((resolve, reject) => {
      scope.signal.addEventListener('abort', () => (signal?.aborted ? reject(signal.reason) : resolve()));
      scope.limit(Math.min(ms, LONGEST_TIMER_MS), () => undefined);
    });
  } finally {
    scope.end();
  }
}
