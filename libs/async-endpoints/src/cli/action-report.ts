import { hostname } from 'node:os';
import { type JobEvent, subscribe } from '../events/channels.js';
import type { JobStore, OperatorAction } from '../store/job-store.js';
import { oneLine, say } from './exit.js';

type Verb = OperatorAction['verb'];
type Counts = OperatorAction['jobs'][number];

const FLUSH_MS = 1_000;

/**
 * Reports the actions of this process to the workers, for their log and metrics: every second and at the end, so that little is
 * lost when the process is killed.
 */
export class ActionReport {
  readonly #counts = new Map<string, { verb: Verb; jobs: Counts }>();
  #unsubscribe: () => void = () => {};
  /** The time of the first action in the counts. */
  #since = 0;
  #reporting = Promise.resolve();

  constructor(private readonly store: JobStore) {}

  open(): void {
    const changed =
      (verb: Verb) =>
      ({ job: { name, status } }: JobEvent) =>
        this.#count(verb, name, status, 1);
    this.#unsubscribe = subscribe(this.store, {
      cancel: changed('cancel'),
      rerun: changed('rerun'),
      recover: changed('recover'),
      purged: ({ ids }) => this.#count('purge', null, null, ids.length),
      paused: ({ verb, names }) => names.forEach((name) => this.#count(verb, name, null, 0)),
    });
  }

  /** Resolves when all actions are reported, or could not be reported. */
  async close(): Promise<void> {
    this.#unsubscribe();
    this.#flush();
    await this.#reporting;
  }

  #count(verb: Verb, name: string | null, status: string | null, by: number): void {
    if (this.#counts.size === 0) this.#since = performance.now();
    const key = JSON.stringify([verb, name, status]);
    const count = (this.#counts.get(key)?.jobs.count ?? 0) + by;
    this.#counts.set(key, { verb, jobs: { name, status, count } });
    if (performance.now() - this.#since >= FLUSH_MS) this.#flush();
  }

  #flush(): void {
    const counts = [...this.#counts.values()];
    this.#counts.clear();
    for (const verb of new Set(counts.map((one) => one.verb))) {
      const jobs = counts.filter((one) => one.verb === verb).map((one) => one.jobs);
      this.#reporting = this.#reporting.then(() => this.#report({ verb, by: who(), jobs }));
    }
  }

  async #report(action: OperatorAction): Promise<void> {
    try {
      await this.store.reportAction?.(action);
    } catch (error) {
      say(`warning: the log and metrics of the workers will not show this ${action.verb}: ${oneLine(error)}`, 'warn');
    }
  }
}

/** The name of the user. In a container, a user may have no name. */
export function who(): string {
  const user = process.env['USER'] ?? process.env['USERNAME'] ?? `uid ${process.getuid?.() ?? 'unknown'}`;
  return `${user}@${hostname()}`;
}
