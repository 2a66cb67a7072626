import { AsyncEndpointsError } from '../job/errors.js';

interface Life {
  /** How often it was opened and not yet closed. */
  holders: number;
  readonly opened: Promise<void>;
}

/** How a store is opened and closed. */
interface Opening {
  /** When it rejects it has closed what it had opened. */
  begin?(): Promise<void>;
  /** Called also while `begin` is on its way, which then rejects before long. */
  end(): Promise<void>;
}

/**
 * Opens a store with the first who opens it and closes it with the last who closes it, so that applications of one process
 * can share a store. After that it can be opened again.
 */
export class Lifetime {
  #life: Life | undefined;
  /** Resolves when what was opened before is closed. */
  #closed: Promise<unknown> = Promise.resolve();

  constructor(private readonly store: Opening) {}

  /** @throws AsyncEndpointsError `STORE_UNAVAILABLE` when the store is closed while it is being opened */
  open(): Promise<void> {
    this.#life ??= this.#start();
    this.#life.holders++;
    return this.#life.opened;
  }

  /** Closing more often than opening does nothing, but for waiting until the store is closed. */
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

/** The error of every call before the store is opened and after it was closed. */
export function notOpen(): AsyncEndpointsError {
  return new AsyncEndpointsError('STORE_UNAVAILABLE', 'The job store is not open.');
}
