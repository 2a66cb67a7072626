import { MemoryJobStore } from '../stores/memory/memory-job-store.js';

/** A memory store whose clock a test moves forward, so that delays and retries need no waiting. */
export class TestJobStore extends MemoryJobStore {
  readonly #clock: { aheadMs: number };
  readonly #names = new Set<string>();

  constructor() {
    const clock = { aheadMs: 0 };
    super({ now: () => Date.now() + clock.aheadMs });
    this.#clock = clock;
  }

  /** The store's time, in milliseconds since the epoch. */
  get now(): number {
    return Date.now() + this.#clock.aheadMs;
  }

  /** Moves the clock forward, and wakes workers for jobs that have become claimable. */
  async advance(ms: number): Promise<void> {
    this.#clock.aheadMs += ms;
    // An empty claim wakes the waiters for jobs that have become claimable.
    await this.claim({
      worker: 'clock',
      slots: new Map([...this.#names].map((name) => [name, 0])),
      limit: 0,
      leaseMs: 1,
    });
  }

  override waitForWork(names: readonly string[], signal: AbortSignal): Promise<void> {
    for (const name of names) this.#names.add(name);
    return super.waitForWork(names, signal);
  }
}
