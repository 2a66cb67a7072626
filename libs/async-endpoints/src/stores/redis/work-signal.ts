import { randomUUID } from 'node:crypto';
import { repliesOf } from '../../store/parts.js';
import { Waiters } from '../../store/subscriptions.js';
import { BLOCK_MS } from './client.js';
import type { RedisConnections } from './connections.js';
import type { RedisKeys } from './keys.js';
import type { RedisPartition } from './partition.js';

/**
 * Waits for work on one blocking connection for all waiters of this process. A script that makes a job claimable leaves a
 * single token under the job's name; popping it wakes one process, and a claim that leaves work behind puts it back.
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

  /** Does not wait for Redis: ioredis may never settle a blocking call of a connection that it has given up. */
  close(): void {
    this.#waiters.wakeAll();
    this.#release();
  }

  /** The tokens of the first partition tell of all: no connection can wait in two slots of a cluster at once. */
  get #keys(): RedisKeys {
    return (this.partitions[0] as RedisPartition).keys;
  }

  /** Runs as long as somebody waits. */
  async #watch(): Promise<void> {
    this.#isWatching = true;
    try {
      for (let wasTold = false; this.#waiters.size > 0;) {
        const { names } = this.#waiters;
        const due = await this.#due(names);
        // Whoever was woken is about to claim it, and puts the token back where work is left.
        if (due === 0 && !wasTold) this.#waiters.wakeAll();
        else if (this.#waiters.size > 0)
          wasTold = await this.#block(names, due <= 0 ? BLOCK_MS : Math.min(due, BLOCK_MS));
      }
    } catch {
      this.#waiters.wakeAll(); // they meet the error themselves, and come back
    } finally {
      this.#isWatching = false;
    }
  }

  /** As `due` of a partition, of those that answer. @throws Error where none does */
  async #due(names: readonly string[]): Promise<number> {
    const times = await Promise.allSettled(this.partitions.map((partition) => partition.due(names)));
    const known = times.filter((time) => time.status === 'fulfilled');
    if (known.length === 0) repliesOf(times);
    return earliest(known.map(({ value }) => value));
  }

  /** Whether somebody here was woken. */
  async #block(names: string[], ms: number): Promise<boolean> {
    const { work } = this.connections;
    this.#blockedOn = names.join();
    try {
      const keys = names.map((name) => this.#keys.wake(name));
      const released = new Promise<null>((resolve) => (this.#release = () => resolve(null)));
      const blocked = work.bzpopmin([this.#recall, ...keys], Math.max(ms, 1) / 1_000);
      const [popped = ''] = (await Promise.race([blocked, released])) ?? [];
      // A client may put a prefix of its own before all keys, and does not take it off what it answers.
      const name = names[keys.findIndex((key) => popped.endsWith(key))];
      return name !== undefined && (await this.#hand(name));
    } finally {
      this.#blockedOn = '';
    }
  }

  /** A token that nobody here wants any more belongs to somebody else. */
  async #hand(name: string): Promise<boolean> {
    if (this.#waiters.wakeOne(name)) return true;
    await this.connections.answer(this.connections.commands.zadd(this.#keys.wake(name), 0, '0'));
    return false;
  }

  /** A client that blocks hears nothing else; a token of our own ends its wait, on whichever node of a cluster. */
  async #unblock(): Promise<void> {
    const call = this.connections.commands.multi().zadd(this.#recall, 0, '0').pexpire(this.#recall, BLOCK_MS).exec();
    await call.catch(() => null);
  }
}

/** Of times until something is due, -1 for never. */
function earliest(times: readonly number[]): number {
  const some = times.filter((time) => time >= 0);
  return some.length === 0 ? -1 : Math.min(...some);
}
