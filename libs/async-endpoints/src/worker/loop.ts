import { setImmediate as nextTurnOfTheEventLoop } from 'node:timers/promises';

/**
 * Does a turn, sleeps until woken or until the interval has passed, and so on until stopped. It survives whatever a turn
 * throws. Starting twice, stopping unstarted and stopping twice are all fine.
 */
export class Loop {
  #running: Promise<void> | undefined;
  #stopping = false;
  #woken = false;
  #wakeUp: (() => void) | undefined;

  /** @param turn is never run twice at once; what it throws goes to `onError` and is followed by a sleep */
  constructor(
    private readonly turn: () => Promise<void>,
    private readonly options: { intervalMs: number; onError: (error: unknown) => void },
  ) {}

  start(): void {
    if (!this.#stopping) this.#running ??= this.#run();
  }

  /** Cuts the present sleep short, or the next one where a turn is on. */
  wake(): void {
    this.#woken = true;
    this.#wakeUp?.();
  }

  /** Resolves when the present turn is over. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#woken = false;
      try {
        await this.turn();
      } catch (error) {
        this.options.onError(error);
        this.#woken = false; // a failing turn must not spin
      }
      // Even when there is more to do at once, the rest of the process gets its turn: timers, sockets, other requests.
      if (this.#woken) await nextTurnOfTheEventLoop();
      else if (!this.#stopping) await this.#sleep();
    }
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.options.intervalMs);
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
