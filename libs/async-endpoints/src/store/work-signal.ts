import { LONGEST_TIMER_MS } from '../job/bounds.js';
import type { JobRecord } from '../job/job.js';
import { Waiters } from './subscriptions.js';

/** What a store can tell about claimable jobs without a wait. */
interface Claimable {
  /** Neither undefined nor false when a job of the name is claimable at this time. */
  nextReady(name: string, now: number): unknown;
  /** The earliest `scheduledAt` of the scheduled jobs of the names; `Infinity` when there are none. */
  nextScheduledAt(names: Iterable<string>): number;
}

/** Wakes one waiter for each job that becomes claimable. A timer exists only while a waiter waits for a `scheduledAt`. */
export class WorkSignal {
  readonly #waiters = new Waiters();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly jobs: Claimable,
    private readonly now: () => number,
  ) {}

  wait(names: readonly string[], signal: AbortSignal): Promise<void> {
    if (signal.aborted || names.some((name) => this.jobs.nextReady(name, this.now()))) return Promise.resolve();
    const woken = this.#waiters.add(names, signal);
    this.#armTimer();
    return woken;
  }

  arrived(job: JobRecord): void {
    if (this.#waiters.size === 0) return;
    if (job.status === 'Queued') this.#waiters.wakeOne(job.name);
    else if (job.status === 'Scheduled') this.#armTimer();
  }

  /** Call it after a claim: the remaining jobs must not wait for a worker that was woken but is full by now. */
  remaining(names: Iterable<string>): void {
    if (this.#waiters.size === 0) return;
    for (const name of names) {
      if (this.jobs.nextReady(name, this.now())) this.#waiters.wakeOne(name);
    }
  }

  /** Call it when names are resumed. */
  resumed(names: readonly string[]): void {
    this.remaining(names);
    if (this.#waiters.size > 0) this.#armTimer();
  }

  /** Whether there is a waiter. */
  get isAwaited(): boolean {
    return this.#waiters.size > 0;
  }

  /** Call it when another process may have submitted jobs. */
  lookAgain(): void {
    this.resumed(this.#waiters.names);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#waiters.wakeAll();
  }

  #armTimer(): void {
    clearTimeout(this.#timer);
    const { names } = this.#waiters;
    const scheduledAt = this.jobs.nextScheduledAt(names);
    if (scheduledAt === Infinity) return;
    const delayMs = Math.min(Math.max(scheduledAt - this.now(), 1), LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => {
      this.remaining(names);
      this.#armTimer();
    }, delayMs);
  }
}
