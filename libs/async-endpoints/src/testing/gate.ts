import { setTimeout as sleep } from 'node:timers/promises';

/** A promise that a test resolves: a handler waits for it and the test opens it, or the other way round. */
export interface Gate<T = void> {
  readonly opened: Promise<T>;
  open(value: T): void;
}

export function gate<T = void>(): Gate<T> {
  let open!: (value: T) => void;
  const opened = new Promise<T>((resolve) => (open = resolve));
  return { opened, open };
}

const ASK_AGAIN_MS = 5;

/**
 * Waits for a fact by polling: repeats the probe until it neither throws nor returns false, undefined or null.
 *
 * @throws the last error of the probe, or an error with its last value, after `withinMs` (default 10,000)
 */
export async function eventually<T>(probe: () => T | Promise<T>, withinMs = 10_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    let problem: unknown;
    try {
      const answer = await probe();
      if (answer !== false && answer !== undefined && answer !== null) return answer;
      problem = new Error(`Still ${String(answer)} after ${withinMs} ms`);
    } catch (error) {
      problem = error;
    }
    if (performance.now() > deadline) throw problem;
    await sleep(ASK_AGAIN_MS); // polling is the only way to wait for a fact without a notification
  }
}
