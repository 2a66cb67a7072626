import { randomUUID } from 'node:crypto';
import { repliesOf } from '../../store/parts.js';
import { Waiters } from '../../store/subscriptions.js';
import { BLOCK_MS } from './client.js';
import type { RedisConnections } from './connections.js';
import type { RedisKeys } from './keys.js';
import type { RedisPartition } from './partition.js';

/**
 * Waits for work on one blocking connection for all waiters of this process. A script that makes a job claimable puts a single
 * token under the job name. Popping it wakes one process. A claim that leaves claimable jobs behind puts the token back.
 */
export class RedisWorkSignal {
  readonly #waiters = new Waiters();
  #isWatching = false;
  #blockedOn = '';
  #release: () => void = () => {};
  readonly #recall: string;

  constructor(
    private readonly connections: RedisConnections,
    private readonly partitions: readonly RedisPartition[],
  ) {
    this.#recall = this.#keys.recall(randomUUID());
  }

  wait(names: readonly string[], signal: AbortSignal): Promise<void> {
    if (signal.aborted || !this.connections.isOpen) return Promise.resolve();
    const woken = this.#waiters.add(names, signal);
    if (!this.#isWatching) void this.#watch();
    if (this.#blockedOn && this.#blockedOn !== this.#waiters.names.join()) void this.#unblock();
    return woken;
  }

  /** Does not wait for the blocking call, which ioredis may never settle after it gives up the connection. */
  close(): void {
    this.#waiters.wakeAll();
    this.#release();
  }

  /** The first partition holds the tokens of all, because a connection cannot block in two slots of a cluster at once. */
  get #keys(): RedisKeys {
    return (this.partitions[0] as RedisPartition).keys;
  }

  /** Runs while there are waiters. */
  async #watch(): Promise<void> {
    this.#isWatching = true;
    try {
      for (let wasTold = false; this.#waiters.size > 0;) {
        const { names } = this.#waiters;
        const due = await this.#due(names);
        // A waiter that was woken by the token claims now, and its claim puts the token back when jobs remain.
        if (due === 0 && !wasTold) this.#waiters.wakeAll();
        else if (this.#waiters.size > 0)
          wasTold = await this.#block(names, due <= 0 ? BLOCK_MS : Math.min(due, BLOCK_MS));
      }
    } catch {
      this.#waiters.wakeAll(); // their next claim reports the error
    } finally {
      this.#isWatching = false;
    }
  }

  /** Like `due` of a partition, over the partitions that reply. @throws Error when none does */
  async #due(names: readonly string[]): Promise<number> {
    const times = await Promise.allSettled(this.partitions.map((partition) => partition.due(names)));
    const known = times.filter((time) => time.status === 'fulfilled');
    if (known.length === 0) repliesOf(times);
    return earliest(known.map(({ value }) => value));
  }

  /** Whether a waiter of this process was woken. */
  async #block(names: string[], ms: number): Promise<boolean> {
    const { work } = this.connections;
    this.#blockedOn = names.join();
    try {
      const keys = names.map((name) => this.#keys.wake(name));
      const released = new Promise<null>((resolve) => (this.#release = () => resolve(null)));
      const blocked = work.bzpopmin([this.#recall, ...keys], Math.max(ms, 1) / 1_000);
      const [popped = ''] = (await Promise.race([blocked, released])) ?? [];
      // A client may have a key prefix, which it does not remove from replies.
      const name = names[keys.findIndex((key) => popped.endsWith(key))];
      return name !== undefined && (await this.#hand(name));
    } finally {
      this.#blockedOn = '';
    }
  }

  /** Wakes a waiter for the token. Puts the token back for other processes when there is no waiter. */
  async #hand(name: string): Promise<boolean> {
    if (this.#waiters.wakeOne(name)) return true;
    await this.connections.answer(this.connections.commands.zadd(this.#keys.wake(name), 0, '0'));
    return false;
  }

  /** Ends the blocking call with a token for this process. A blocking client accepts no other command. */
  async #unblock(): Promise<void> {
    const call = this.connections.commands.multi().zadd(this.#recall, 0, '0').pexpire(this.#recall, BLOCK_MS).exec();
    await call.catch(() => null);
  }
}

/** The earliest of several times; -1 means never. */
function earliest(times: readonly number[]): number {
  const some = times.filter((time) => time >= 0);
  return some.length === 0 ? -1 : Math.min(...some);
}
