import { purgeableAt } from '../../job/lifecycle.js';
import { Heap } from './heap.js';
import type { Entry } from './queue.js';

/** The terminal jobs, ordered by the end of their retention and by the time when they ended, and the memory that they take. */
export class FinishedJobs {
  readonly #byPurge = new Heap<Entry>((a, b) => (purgeableAt(a.job) as number) < (purgeableAt(b.job) as number));
  readonly #byEnd = new Heap<Entry, 'endIndex'>((a, b) => a.endNumber < b.endNumber, 'endIndex');
  #ended = 0;
  #bytes = 0;

  /** @param maxBytes the option `maxFinishedBytes` of the store */
  constructor(private readonly maxBytes: number) {}

  push(entry: Entry): void {
    entry.endNumber = ++this.#ended;
    this.#bytes += entry.bytes;
    this.#byPurge.push(entry);
    this.#byEnd.push(entry);
  }

  remove(entry: Entry): void {
    this.#bytes -= entry.bytes;
    this.#byPurge.remove(entry);
    this.#byEnd.remove(entry);
  }

  purgeable(now: number): Entry | undefined {
    const entry = this.#byPurge.peek();
    return entry && (purgeableAt(entry.job) as number) <= now ? entry : undefined;
  }

  /** The job that ended first, while the jobs take more than `maxBytes`. The last job stays, however large it is. */
  get surplus(): Entry | undefined {
    return this.#bytes > this.maxBytes && this.#byEnd.size > 1 ? this.#byEnd.peek() : undefined;
  }
}
