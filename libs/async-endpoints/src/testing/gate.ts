import { setTimeout as sleep } from 'node:timers/promises';

/** A promise that a test holds the key to: handlers wait at it, the test opens it, and the other way round. */
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
 * Waits for a fact that nobody announces: asks until the probe neither throws nor answers false, undefined or null.
 *
 * @throws what the probe threw last, or an error that says so, after `withinMs` (default 10,000)
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
    await sleep(ASK_AGAIN_MS); // the only way to wait for what nobody announces
  }
}
