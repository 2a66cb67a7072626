import type { JobRecord } from '../../job/job.js';
import { decode } from './codec.js';

/** So many ids are remembered, lest one is told of again and again. */
const MOST_IDS = 1_000;
const TELL_AGAIN_MS = 60_000;

/**
 * Reads records, and sets aside those that cannot be read: they were altered by hand, or a newer release wrote them. For callers
 * there is no such job; an operator is told, once in a while, however many there are.
 */
export class Unreadable {
  readonly #ids = new Set<string>();
  #untold = 0;
  #toldAt = -Infinity;

  /**
   * @param notify tells an operator
   * @param count is called once for each record
   */
  constructor(
    private readonly notify: (message: string) => void,
    private readonly count: () => void,
  ) {}

  /** @param replies of each id, its record and claim, each '' where there is none */
  readAll(ids: readonly string[], replies: readonly string[]): (JobRecord | null)[] {
    return ids.map((id, index) => this.read(id, replies[2 * index] as string, replies[2 * index + 1] as string));
  }

  read(id: string, text: string, claim: string): JobRecord | null {
    return text === '' ? null : this.orNull(id, text, () => decode(id, text, claim).job);
  }

  /** What is decoded of this job's record, or null where that throws. */
  orNull<T>(id: string, text: string, decoded: (id: string, text: string) => T): T | null {
    try {
      return decoded(id, text);
    } catch {
      this.#tell(id);
      return null;
    }
  }

  #tell(id: string): void {
    if (this.#ids.has(id)) return;
    if (this.#ids.size < MOST_IDS) this.#ids.add(id);
    this.count();
    this.#untold++;
    const now = performance.now();
    if (now - this.#toldAt < TELL_AGAIN_MS) return;
    const [which, are] =
      this.#untold === 1 ? ['The record', 'is'] : [`${this.#untold} records, such as the one`, 'are'];
    this.notify(`${which} of job ${id} cannot be read and ${are} set aside: run "async-endpoints audit"`);
    this.#toldAt = now;
    this.#untold = 0;
  }
}
