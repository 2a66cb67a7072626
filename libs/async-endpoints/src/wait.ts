/** A wait with an end: when told, when time is up, or, rejecting with its reason, when the signal is aborted. */
export class Wait {
  readonly ended: Promise<void>;
  #end: () => void = () => {};

  constructor(timeoutMs: number, signal?: AbortSignal) {
    this.ended = new Promise((resolve, reject) => {
      const abort = () => reject(signal?.reason);
      const timer = setTimeout(resolve, timeoutMs);
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
