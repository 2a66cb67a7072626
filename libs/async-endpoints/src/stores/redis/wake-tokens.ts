import type { RedisConnections } from './connections.js';
import { RedisKeys } from './keys.js';

/**
 * Workers block on the tokens of the first partition, because no connection can wait in two slots at once. What happens in
 * another partition is told there, in a step of its own: should that be lost, there is the poll. The scripts of the first
 * partition put tokens themselves.
 */
export class WakeTokens {
  readonly #first: RedisKeys | undefined;

  constructor(
    private readonly connections: RedisConnections,
    { prefix, partition }: { readonly prefix: string; readonly partition: number },
  ) {
    this.#first = partition === 0 ? undefined : new RedisKeys(prefix, 0);
  }

  /** There is work of these names. */
  put(names: Iterable<string>): void {
    if (!this.#first) return;
    const { commands } = this.connections;
    for (const name of new Set(names)) commands.zadd(this.#first.wake(name), 0, '0').catch(() => {});
  }

  /** There is nothing of these names any more: their tokens go as well, when the other partitions have had time to look. */
  expire(names: readonly string[], keepMs: number): void {
    if (!this.#first) return;
    const { commands } = this.connections;
    for (const name of names) commands.pexpire(this.#first.wake(name), keepMs).catch(() => {});
  }
}
