import { randomUUID } from 'node:crypto';
import { BLOCK_MS, type RedisConnections } from './redis-connections.js';
import type { RedisKeys } from './keys.js';
import { Waiters } from '../store/waiters.js';
import { dueScript } from './scripts/look.lua.js';

/**
 * Waits for work on one blocking connection for all waiters of this process. A script that makes a job claimable leaves a
 * single token under the job's name; popping it wakes one process, and a claim that leaves work behind puts it back.
 */
export class RedisWorkSignal {
  readonly #waiters = new Waiters();
  #waiting: Promise<void> | undefined;
  #blockedOn = '';
  readonly #recall: string;
  #closed = false;

  constructor(
    private readonly connections: RedisConnections,
    private readonly keys: RedisKeys,
    private readonly time: () => string,
  ) {
    this.#recall = keys.recall(randomUUID());
  }

  wait(names: readonly string[], signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#closed) return Promise.resolve();
    const woken = this.#waiters.add(names, signal);
    this.#waiting ??= this.#watch();
    if (this.#blockedOn && this.#blockedOn !== this.#waiters.names.join()) void this.#unblock();
    return woken;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#waiters.wakeAll();
    if (this.#blockedOn) this.connections.work.disconnect();
    await this.#waiting;
  }

  /** Runs as long as somebody waits. */
  async #watch(): Promise<void> {
    try {
      while (this.#waiters.size > 0 && !this.#closed) {
        const { names } = this.#waiters;
        const { commands, announce } = this.connections;
        const keys = [...this.keys.shared, ...names.flatMap((name) => this.keys.queue(name))];
        const due = await this.connections.answer(dueScript.run(commands, keys, [this.time(), announce]));
        if (due === 0) this.#waiters.wakeAll();
        else if (this.#waiters.size > 0 && !this.#closed)
          await this.#block(names, due < 0 ? BLOCK_MS : Math.min(due, BLOCK_MS));
      }
    } catch {
      this.#waiters.wakeAll(); // they meet the error themselves, and come back
    } finally {
      this.#waiting = undefined;
    }
  }

  async #block(names: string[], ms: number): Promise<void> {
    const { work } = this.connections;
    this.#blockedOn = names.join();
    try {
      const keys = names.map((name) => this.keys.wake(name));
      const popped = await work.bzpopmin([this.#recall, ...keys], Math.max(ms, 1) / 1_000);
      if (popped && popped[0] !== this.#recall) await this.#hand(names[keys.indexOf(popped[0])] as string);
    } finally {
      this.#blockedOn = '';
    }
  }

  /** A token that nobody here wants any more belongs to somebody else. */
  async #hand(name: string): Promise<void> {
    if (this.#waiters.wakeOne(name)) return;
    await this.connections.commands.zadd(this.keys.wake(name), 0, '0');
  }

  /** A client that blocks hears nothing else; a token of our own ends its wait, on whichever node of a cluster. */
  async #unblock(): Promise<void> {
    const call = this.connections.commands.multi().zadd(this.#recall, 0, '0').pexpire(this.#recall, BLOCK_MS).exec();
    await call.catch(() => null);
  }
}
