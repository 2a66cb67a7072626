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

  /** Moves the clock forward, and tells the workers which jobs have become due. */
  async advance(ms: number): Promise<void> {
    this.#clock.aheadMs += ms;
    // A claim of nothing wakes whoever waits for what has become claimable.
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
