import type { EndedJobs } from '../store/job-store.js';

const MINUTE_MS = 60_000;
const MINUTES = 15;

/** How many jobs completed and failed in this worker, minute by minute, for its registration: so that operators see its throughput. */
export class EndedCounts {
  /** By job name: the counts of the last minutes, the present one last. */
  #names = new Map<string, { completed: number[]; failed: number[] }>();
  #minute = 0;

  constructor(private readonly now: () => number = Date.now) {}

  count(name: string, verb: 'complete' | 'fail'): void {
    this.#turn();
    let counts = this.#names.get(name);
    if (!counts) this.#names.set(name, (counts = { completed: zeros(MINUTES), failed: zeros(MINUTES) }));
    const minutes = verb === 'complete' ? counts.completed : counts.failed;
    minutes[MINUTES - 1] = (minutes[MINUTES - 1] as number) + 1;
  }

  latest(): EndedJobs {
    this.#turn();
    return { minute: this.#minute, names: Object.fromEntries(this.#names) };
  }

  /** Moves on to the present minute. A name of which nothing has ended for as long as it is counted is forgotten. */
  #turn(): void {
    const minute = Math.floor(this.now() / MINUTE_MS);
    const passed = Math.min(Math.max(minute - this.#minute, 0), MINUTES);
    this.#minute = Math.max(minute, this.#minute);
    if (passed === 0) return;
    const moved = (counts: number[]) => [...counts.slice(passed), ...zeros(passed)];
    const names = [...this.#names].map(([name, { completed, failed }]) => {
      return [name, { completed: moved(completed), failed: moved(failed) }] as const;
    });
    this.#names = new Map(names.filter(([, of]) => [...of.completed, ...of.failed].some((count) => count > 0)));
  }
}

function zeros(count: number): number[] {
  return Array<number>(count).fill(0);
}
