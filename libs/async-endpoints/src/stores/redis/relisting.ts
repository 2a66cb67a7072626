import type { RedisPartition } from './partition.js';
import { relistScript } from './scripts/relist.lua.js';

/** The fewest steps of a sweep, and the most while steps find something to correct. */
const [FEWEST_STEPS, MOST_STEPS] = [2, 20];
/** How long after a pass without corrections the next one begins, in sweeps: an hour with the defaults. */
const SWEEPS_UNTIL_PASS = 720;
const BEGIN = '0';

/**
 * Corrects `listed` of a partition. Processes of a release without this key leave it incomplete, during a rollout and before it.
 * So each process compares it with all jobs after its start, some of them in each sweep, and again until it finds nothing.
 */
export class Relisting {
  #cursor = BEGIN;
  /** Whether this pass has corrected anything. */
  #hasChanged = false;
  #sweepsUntilPass = 0;

  constructor(private readonly partition: RedisPartition) {}

  /** Compares some of the jobs. @param isPeriodic false to begin a pass at once */
  async goOn(isPeriodic: boolean): Promise<void> {
    if (isPeriodic && --this.#sweepsUntilPass > 0) return;
    for (let step = 0, changes = 0; step < (changes > 0 ? MOST_STEPS : FEWEST_STEPS); step++) {
      changes = await this.#step();
      if (this.#cursor === BEGIN) return this.#endPass();
    }
  }

  /** Compares all jobs. */
  async complete(): Promise<void> {
    do await this.#step();
    while (this.#cursor !== BEGIN);
  }

  async #step(): Promise<number> {
    const { client, connections, keys, time } = this.partition;
    const reply = await connections.answer(relistScript.run(client, keys.shared, [time(), this.#cursor]));
    this.#cursor = reply[0] || BEGIN;
    this.#hasChanged ||= reply[1] > 0;
    return reply[1];
  }

  #endPass(): void {
    this.#sweepsUntilPass = this.#hasChanged ? 0 : SWEEPS_UNTIL_PASS;
    this.#hasChanged = false;
  }
}
