import { LONGEST_TIMER_MS } from '../job/bounds.js';
import type { JobRecord } from '../job/job.js';
import { Waiters } from './subscriptions.js';

/** What a store knows at once of what can be claimed. */
interface Claimable {
  /** Anything but undefined or false where a job of the name can be claimed at this time. */
  nextReady(name: string, now: number): unknown;
  /** When the first scheduled job of the names comes due; `Infinity` for never. */
  nextScheduledAt(names: Iterable<string>): number;
}

/** Wakes one waiter for each job that becomes claimable. A timer exists only while somebody waits for a due time. */
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

  /** To be called after a claim: what it left must not wait for a worker that was woken but is full by now. */
  remaining(names: Iterable<string>): void {
    if (this.#waiters.size === 0) return;
    for (const name of names) {
      if (this.jobs.nextReady(name, this.now())) this.#waiters.wakeOne(name);
    }
  }

  /** To be called when names are no longer paused. */
  resumed(names: readonly string[]): void {
    this.remaining(names);
    if (this.#waiters.size > 0) this.#armTimer();
  }

  /** Whether somebody waits. */
  get isAwaited(): boolean {
    return this.#waiters.size > 0;
  }

  /** To be called where jobs may have come from elsewhere. */
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
