import { publish } from '../events/channels.js';
import type { JobStore } from '../store/job-store.js';
import { unhandledNames } from '../store/queue-stats.js';

const REPEAT_MS = 3_600_000;

/** Publishes the names with waiting jobs that no live worker handles. */
export class UnhandledQueues {
  /** The names of the last check. */
  #last: ReadonlySet<string> = new Set();
  readonly #publishedAt = new Map<string, number>();

  constructor(
    private readonly store: JobStore,
    private readonly workerId: string,
  ) {}

  /**
   * A name counts when two checks in a row found it: during a rollout, the new API may be there before the new workers. Of all live
   * workers, only the one with the first id publishes.
   */
  async check(now = performance.now()): Promise<void> {
    const [stats, workers] = await Promise.all([this.store.stats(), this.store.workers()]);
    const found = new Set(unhandledNames(stats, workers));
    const names = [...found].filter((name) => this.#last.has(name));
    this.#last = found;
    for (const name of this.#publishedAt.keys()) if (!found.has(name)) this.#publishedAt.delete(name);
    if (workers[0]?.id !== this.workerId) return;
    const due = names.filter((name) => now - (this.#publishedAt.get(name) ?? -Infinity) >= REPEAT_MS);
    for (const name of due) this.#publishedAt.set(name, now);
    if (due.length > 0) publish('unhandled', { store: this.store, names: due });
  }
}
