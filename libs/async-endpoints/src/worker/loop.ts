import { setImmediate as nextTurnOfTheEventLoop } from 'node:timers/promises';
import { checkDuration, LONGEST_TIMER_MS } from '../job/bounds.js';

/** After an error the interval may be too long to find out that all is well again. */
const AGAIN_AFTER_ERROR_MS = 1_000;

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
    const wakeUp = this.#wakeUp;
    this.#wakeUp = undefined;
    wakeUp?.();
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
      let sleepMs = this.options.intervalMs;
      try {
        await this.turn();
      } catch (error) {
        this.options.onError(error);
        this.#woken = false; // a failing turn must not spin
        sleepMs = Math.min(sleepMs, AGAIN_AFTER_ERROR_MS);
      }
      // Even when there is more to do at once, the rest of the process gets its turn: timers, sockets, other requests.
      if (this.#woken) await nextTurnOfTheEventLoop();
      else if (!this.#stopping) await this.#sleep(sleepMs);
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** A wait with an end: when told, when time is up, or, rejecting with its reason, when the signal is aborted. */
export class Wait {
  readonly ended: Promise<void>;
  #end: () => void = () => {};

  /**
   * @param timeoutMs more than 24.8 days, `Infinity` too, is 24.8 days
   * @throws AsyncEndpointsError `INVALID_OPTION` for what is not a number from 0
   */
  constructor(timeoutMs: number, signal?: AbortSignal) {
    const longestMs = checkDuration('timeoutMs', timeoutMs, LONGEST_TIMER_MS);
    this.ended = new Promise((resolve, reject) => {
      const abort = () => reject(signal?.reason);
      const timer = setTimeout(resolve, longestMs);
      signal?.addEventListener('abort', abort);
      this.#end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        resolve();
      };
    });
  }

  end(): void {
    this.#end();
  }
}
