interface Waiter {
  readonly names: readonly string[];
  readonly wake: () => void;
}

/** Who in this process waits for work, and for which names. */
export class Waiters {
  readonly #waiters = new Set<Waiter>();

  get size(): number {
    return this.#waiters.size;
  }

  /** Every name that somebody waits for, once, in order. */
  get names(): string[] {
    return [...new Set([...this.#waiters].flatMap(({ names }) => names))].toSorted();
  }

  /** Resolves when woken, and when the signal is aborted. */
  add(names: readonly string[], signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        names,
        wake: () => {
          this.#waiters.delete(waiter);
          signal.removeEventListener('abort', waiter.wake);
          resolve();
        },
      };
      this.#waiters.add(waiter);
      signal.addEventListener('abort', waiter.wake);
    });
  }

  /** False where nobody waits for this name. */
  wakeOne(name: string): boolean {
    for (const waiter of this.#waiters) {
      if (!waiter.names.includes(name)) continue;
      waiter.wake();
      return true;
    }
    return false;
  }

  wakeAll(): void {
    for (const waiter of this.#waiters) waiter.wake();
  }
}
