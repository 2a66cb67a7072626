import { createHash, randomBytes } from 'node:crypto';
import type { RedisKeys } from './keys.js';
import type { RedisClient } from './scripts/define-script.js';

const FIELD = 'secret';
/** A seal that does not match may mean that Redis has lost its data and has a new secret. */
const LEARN_AGAIN_MS = 60_000;

/**
 * Tells messages that this deployment's scripts have published from those of anybody who may publish on the channel. The secret
 * is in Redis itself, a field of the counters of each partition: who can read it can read and write the jobs as well. Without it
 * nothing matches, and what a message says is read from the record.
 */
export class RedisSeal {
  #secret = '';
  #learnedAt = -Infinity;

  /** @param partitions the keys of all; the first says which secret all have */
  constructor(private readonly partitions: readonly RedisKeys[]) {}

  /** Never rejects. */
  async learn(client: RedisClient): Promise<void> {
    this.#learnedAt = performance.now();
    const [first, ...others] = this.partitions.map(({ counters }) => counters) as [string, ...string[]];
    try {
      await client.hsetnx(first, FIELD, randomBytes(20).toString('hex'));
      this.#secret = (await client.hget(first, FIELD)) ?? '';
      await Promise.all(others.map((counters) => client.hset(counters, FIELD, this.#secret)));
    } catch {
      // Redis is full, or away: what is published meanwhile has no seal that matches.
    }
  }

  /** Whether it is time to look for another secret, because a seal did not match. At most once a minute. */
  get mayBeOld(): boolean {
    return performance.now() - this.#learnedAt >= LEARN_AGAIN_MS;
  }

  matches(seal: string, text: string): boolean {
    return this.#secret !== '' && seal === sha1(this.#secret + sha1(this.#secret + text));
  }
}

/** What Redis has in its scripts; hashed twice, it takes more than the weakness of SHA-1 to make a seal without the secret. */
function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}
