import type { JobRecord } from '../../job/job.js';
import { decode } from './codec.js';

/** The number of remembered ids, so that the same record is not reported repeatedly. */
const MOST_IDS = 1_000;
const TELL_AGAIN_MS = 60_000;

/**
 * Decodes records, and sets aside those that cannot be read because they were altered by hand or written by a newer release. For
 * callers such a job does not exist. Operators get an occasional notice, however many there are.
 */
export class Unreadable {
  readonly #ids = new Set<string>();
  #untold = 0;
  #toldAt = -Infinity;

  /**
   * @param notify publishes a notice to operators
   * @param count called once for each unreadable record
   */
  constructor(
    private readonly notify: (message: string) => void,
    private readonly count: () => void,
  ) {}

  /** @param replies for each id its record and claim, each '' when there is none */
  readAll(ids: readonly string[], replies: readonly string[]): (JobRecord | null)[] {
    return ids.map((id, index) => this.read(id, replies[2 * index] as string, replies[2 * index + 1] as string));
  }

  read(id: string, text: string, claim: string): JobRecord | null {
    return text === '' ? null : this.orNull(id, text, () => decode(id, text, claim).job);
  }

  /** The decoded record of a job, or null when decoding throws. */
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
