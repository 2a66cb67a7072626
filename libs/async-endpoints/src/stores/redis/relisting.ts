import type { RedisPartition } from './partition.js';
import { relistScript } from './scripts/relist.lua.js';

/** The most steps of a sweep, while steps find something to correct. */
const STEPS = 20;
/** How long after a pass without corrections the next one begins, in sweeps: an hour with the defaults. */
const SWEEPS_UNTIL_PASS = 720;

/**
 * Corrects `listed` of a partition. Processes of a release without this key leave it incomplete, during a rollout and before it.
 * So each process compares it with all jobs after its start, some of them in each sweep, and again until it finds nothing.
 */
export class Relisting {
  #cursor = '0';
  #entry = '';
  /** Whether this pass has corrected anything. */
  #hasChanged = false;
  #sweepsUntilPass = 0;

  constructor(private readonly partition: RedisPartition) {}

  /** Compares some of the jobs. @param isPeriodic false to begin a pass at once */
  async goOn(isPeriodic: boolean): Promise<void> {
    if (isPeriodic && --this.#sweepsUntilPass > 0) return;
    for (let step = 0, changes = 1; step < STEPS && changes > 0; step++) {
      changes = await this.#step();
      if (this.#sweepsUntilPass > 0) return;
    }
  }

  /** Compares all jobs. */
  async complete(): Promise<void> {
    do await this.#step();
    while (this.#cursor !== '0' || this.#entry !== '');
  }

  async #step(): Promise<number> {
    const { client, connections, keys, time } = this.partition;
    const args = [time(), this.#cursor, this.#entry];
    const [cursor, entry, changes] = await connections.answer(relistScript.run(client, keys.shared, args));
    this.#hasChanged ||= changes > 0;
    [this.#cursor, this.#entry] = [cursor, entry];
    if (cursor === '0') {
      this.#sweepsUntilPass = this.#hasChanged ? 0 : SWEEPS_UNTIL_PASS;
      this.#hasChanged = false;
    }
    return changes;
  }
}
