import type { RedisConnections } from './connections.js';
import { RedisKeys } from './keys.js';

/**
 * Puts wake tokens for the other partitions. Workers block on the tokens of the first partition, because a connection cannot
 * block in two slots at once. Work in another partition therefore needs a second step, which puts the token in the first one;
 * when that step is lost, polling finds the work. The scripts of the first partition put their tokens themselves.
 */
export class WakeTokens {
  readonly #first: RedisKeys | undefined;

  constructor(
    private readonly connections: RedisConnections,
    { prefix, partition }: { readonly prefix: string; readonly partition: number },
  ) {
    this.#first = partition === 0 ? undefined : new RedisKeys(prefix, 0);
  }

  /** Puts the tokens of names with claimable jobs. */
  put(names: Iterable<string>): void {
    if (!this.#first) return;
    const { commands } = this.connections;
    for (const name of new Set(names)) commands.zadd(this.#first.wake(name), 0, '0').catch(() => {});
  }

  /** Lets the tokens of names without jobs expire, after the other partitions have had time to check. */
  expire(names: readonly string[], keepMs: number): void {
    if (!this.#first) return;
    const { commands } = this.connections;
    for (const name of names) commands.pexpire(this.#first.wake(name), keepMs).catch(() => {});
  }
}
