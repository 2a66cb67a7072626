import { AsyncEndpointsError } from '../job/errors.js';

interface Life {
  /** The number of `open` calls without a matching `close`. */
  holders: number;
  readonly opened: Promise<void>;
}

/** How a store is opened and closed. */
interface Opening {
  /** When it rejects, it has already released what it opened. */
  begin?(): Promise<void>;
  /** May be called while `begin` is pending, which then rejects soon. */
  end(): Promise<void>;
}

/**
 * Opens a store on the first `open` and closes it on the last `close`, so that applications of one process can share a store. A
 * closed store can be opened again.
 */
export class Lifetime {
  #life: Life | undefined;
  /** Resolves when the previous life is closed. */
  #closed: Promise<unknown> = Promise.resolve();

  constructor(private readonly store: Opening) {}

  /** @throws AsyncEndpointsError `STORE_UNAVAILABLE` when the store is closed while it is being opened */
  open(): Promise<void> {
    this.#life ??= this.#start();
    this.#life.holders++;
    return this.#life.opened;
  }

  /** When there are more `close` than `open` calls, the extra ones only wait until the store is closed. */
  async close(): Promise<void> {
    const life = this.#life;
    if (life && --life.holders > 0) return;
    if (life) {
      this.#life = undefined;
      const ended = this.store.end();
      this.#closed = Promise.allSettled([life.opened, ended]);
      return ended;
    }
    await this.#closed;
  }

  #start(): Life {
    const before = this.#closed;
    const opened = before.then(() => {
      if (this.#life !== life) throw new AsyncEndpointsError('STORE_UNAVAILABLE', 'The job store was closed.');
      return this.store.begin?.();
    });
    const life: Life = { holders: 0, opened };
    opened.catch(() => {
      if (this.#life === life) this.#life = undefined;
    });
    return life;
  }
}

/** The error of every call before the store is opened and after it is closed. */
export function notOpen(): AsyncEndpointsError {
  return new AsyncEndpointsError('STORE_UNAVAILABLE', 'The job store is not open.');
}
