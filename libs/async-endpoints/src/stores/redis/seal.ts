import { createHash, randomBytes } from 'node:crypto';
import type { RedisKeys } from './keys.js';
import type { RedisClient } from './scripts/define-script.js';

const FIELD = 'secret';
/** When a seal does not match, Redis may have lost its data and have a new secret. */
const LEARN_AGAIN_MS = 60_000;

/**
 * Tells the messages of this deployment's scripts from those of other clients that may publish on the channel. The secret is in
 * Redis, in a field of the counters of each partition: a client that can read it can read and write the jobs as well. While the
 * secret is unknown, no seal matches, and records are read from Redis.
 */
export class RedisSeal {
  #secret = '';
  #learnedAt = -Infinity;

  /** @param partitions the keys of all partitions; the first one holds the secret that all share */
  constructor(private readonly partitions: readonly RedisKeys[]) {}

  /** Reads the secret, or creates it. Never rejects. */
  async learn(client: RedisClient): Promise<void> {
    this.#learnedAt = performance.now();
    const [first, ...others] = this.partitions.map(({ counters }) => counters) as [string, ...string[]];
    try {
      await client.hsetnx(first, FIELD, randomBytes(20).toString('hex'));
      this.#secret = (await client.hget(first, FIELD)) ?? '';
      await Promise.all(others.map((counters) => client.hset(counters, FIELD, this.#secret)));
    } catch {
      // Redis is full or unreachable: until it is back, no seal matches.
    }
  }

  /** Whether to read the secret again after a seal did not match. True at most once a minute. */
  get mayBeOld(): boolean {
    return performance.now() - this.#learnedAt >= LEARN_AGAIN_MS;
  }

  matches(seal: string, text: string): boolean {
    return this.#secret !== '' && seal === sha1(this.#secret + sha1(this.#secret + text));
  }
}

/**
 * SHA-1 is the hash that scripts of Redis offer. It is applied twice, so that its known weakness is not enough to forge a seal.
 */
function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}
