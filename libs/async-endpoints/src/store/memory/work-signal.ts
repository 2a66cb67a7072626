import type { JobRecord } from '../../job/job.js';
import type { JobIndex } from './job-index.js';

interface Waiter {
  readonly names: readonly string[];
  readonly wake: () => void;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Wakes one waiter for each job that becomes claimable. A timer exists only while somebody waits for a due time. */
export class WorkSignal {
  readonly #waiters = new Set<Waiter>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly jobs: JobIndex,
    private readonly now: () => number,
  ) {}

  wait(names: readonly string[], signal: AbortSignal): Promise<void> {
    if (signal.aborted || names.some((name) => this.jobs.nextReady(name, this.now()))) return Promise.resolve();
    return new Promise((resolve) => {
      const waiter: Waiter = {
        names,
        wake: () => {
          this.#waiters.delete(waiter);
          signal.removeEventListener('abort', waiter.wake);
          resolve();
        },
      };
      this.#waiters.add(waiter);
      signal.addEventListener('abort', waiter.wake);
      this.#armTimer();
    });
  }

  arrived(job: JobRecord): void {
    if (this.#waiters.size === 0) return;
    if (job.status === 'Queued') this.#wakeOne(job.name);
    else if (job.status === 'Scheduled') this.#armTimer();
  }

  /** To be called after a claim: what it left must not wait for a worker that was woken but is full by now. */
  remaining(names: Iterable<string>): void {
    if (this.#waiters.size === 0) return;
    for (const name of names) {
      if (this.jobs.nextReady(name, this.now())) this.#wakeOne(name);
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const waiter of this.#waiters) waiter.wake();
  }

  #wakeOne(name: string): void {
    for (const waiter of this.#waiters) {
      if (waiter.names.includes(name)) return waiter.wake();
    }
  }

  #armTimer(): void {
    clearTimeout(this.#timer);
    const names = new Set([...this.#waiters].flatMap((waiter) => waiter.names));
    const dueAt = this.jobs.nextDueAt(names);
    if (dueAt === Infinity) return;
    const delayMs = Math.min(Math.max(dueAt - this.now(), 1), LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => this.#wakeDue(names), delayMs);
  }

  #wakeDue(names: ReadonlySet<string>): void {
    this.remaining(names);
    this.#armTimer();
  }
}
