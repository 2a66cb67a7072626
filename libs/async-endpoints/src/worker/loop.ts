import { setImmediate as nextTurnOfTheEventLoop } from 'node:timers/promises';

/** The longest sleep after an error, so that a long interval does not delay the recovery. */
const AGAIN_AFTER_ERROR_MS = 1_000;

/**
 * Runs a turn, then sleeps until it is woken or the interval has passed, and repeats until stopped. An error of a turn does not
 * end the loop. Calling `start` twice, or `stop` twice or before `start`, does no harm.
 */
export class Loop {
  #running: Promise<void> | undefined;
  #stopping = false;
  #woken = false;
  #wakeUp: (() => void) | undefined;

  /**
   * @param turn never runs twice at once; after an error, the loop calls `onError` and sleeps. It may return how long to sleep, in
   * ms, instead of the interval: 0 for no sleep, `Infinity` until it is woken
   */
  constructor(
    private readonly turn: () => Promise<number | void>,
    private readonly options: { intervalMs: number; onError: (error: unknown) => void },
  ) {}

  get isStopping(): boolean {
    return this.#stopping;
  }

  start(): void {
    if (!this.#stopping) this.#running ??= this.#run();
  }

  /** Ends the current sleep, or skips the next one when a turn is running. */
  wake(): void {
    this.#woken = true;
    const wakeUp = this.#wakeUp;
    this.#wakeUp = undefined;
    wakeUp?.();
  }

  /** Resolves when the current turn has ended. */
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
        sleepMs = (await this.turn()) ?? sleepMs;
      } catch (error) {
        this.options.onError(error);
        this.#woken = false; // a failing turn must not repeat without a pause
        sleepMs = Math.min(sleepMs, AGAIN_AFTER_ERROR_MS);
      }
      // Even when there is more to do, timers, sockets and requests of the process run in between.
      if (this.#woken || sleepMs === 0) await nextTurnOfTheEventLoop();
      else if (!this.#stopping) await this.#sleep(sleepMs);
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === Infinity ? undefined : setTimeout(resolve, ms);
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
