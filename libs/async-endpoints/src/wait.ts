import { checkDuration, LONGEST_TIMER_MS } from './job/bounds.js';

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
