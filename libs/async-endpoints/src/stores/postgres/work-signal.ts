import { LONGEST_TIMER_MS } from '../../job/bounds.js';
import { Waiters } from '../../store/subscriptions.js';
import { decodeText, encodeText } from '../sql/text.js';
import type { PostgresConnections } from './connections.js';
import type { PostgresListener } from './listener.js';

/** The interval of polling while notifications do not arrive. */
const POLL_MS = 1_000;

/**
 * Waits for work, for all waiters of this process. While there are waiters, the process is registered in the database with their
 * names. A transaction that makes a job claimable notifies one registered process and removes its registration.
 */
export class PostgresWorkSignal {
  readonly #waiters = new Waiters();
  #isWatching = false;
  #look: () => void = () => {};

  constructor(
    private readonly connections: PostgresConnections,
    private readonly listener: PostgresListener,
    private readonly now: () => number | null,
  ) {}

  wait(names: readonly string[], signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    const woken = this.#waiters.add(names, signal);
    if (this.#isWatching) this.#look();
    else void this.#watch();
    return woken;
  }

  /** Wakes a waiter: a job of this name may be claimable. */
  notify(name: string): void {
    this.#waiters.wakeOne(decodeText(name));
    this.#look();
  }

  /** Checks for work: notifications may have been missed. */
  lookAgain(): void {
    this.#look();
  }

  close(): void {
    this.#waiters.wakeAll();
    this.#look();
  }

  /** Runs while there are waiters. */
  async #watch(): Promise<void> {
    this.#isWatching = true;
    try {
      await this.listener.open().catch(() => {});
      while (this.#waiters.size > 0) {
        const looked = new Promise<void>((resolve) => (this.#look = resolve));
        const names = this.#waiters.names.map(encodeText);
        const due = await this.connections.call<number | null>(
          'await_work',
          names,
          this.listener.channel,
          this.listener.pid,
          this.now(),
        );
        if (due === 0) this.#waiters.wakeAll();
        else await this.#sleep(looked, due);
      }
    } catch {
      this.#waiters.wakeAll(); // their next claim reports the error
    } finally {
      this.#isWatching = false;
      this.#look = () => {};
    }
  }

  async #sleep(looked: Promise<void>, due: number | null): Promise<void> {
    const ms = Math.min(due ?? LONGEST_TIMER_MS, this.listener.isHearing ? LONGEST_TIMER_MS : POLL_MS);
    let timer: NodeJS.Timeout | undefined;
    const slept = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
    await Promise.race([looked, slept]);
    clearTimeout(timer);
  }
}
