import type { RedisConnections } from './redis-connections.js';
import type { RedisKeys } from './keys.js';
import { Waiters } from '../store/waiters.js';
import { dueScript } from './scripts/look.lua.js';

const BLOCK_MS = 10_000;
/** Redis answers a blocking call that long after its timeout at the latest; a connection that does not is dead. */
const PATIENCE_MS = 3_000;

/**
 * Waits for work on one blocking connection for all waiters of this process. A script that makes a job claimable leaves a
 * single token under the job's name; popping it wakes one process, and a claim that leaves work behind puts it back.
 */
export class RedisWorkSignal {
  readonly #waiters = new Waiters();
  #waiting: Promise<void> | undefined;
  #blockedOn = '';
  #closed = false;

  constructor(
    private readonly connections: RedisConnections,
    private readonly keys: RedisKeys,
    private readonly time: () => string,
  ) {}

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
        const due = await dueScript.run(
          this.connections.commands,
          [...this.keys.shared, ...names.flatMap((name) => this.keys.queue(name))],
          [this.time(), this.connections.announce],
        );
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
    const dead = setTimeout(() => work.disconnect(true), ms + PATIENCE_MS);
    try {
      const keys = names.map((name) => this.keys.wake(name));
      const popped = await work.bzpopmin(keys, Math.max(ms, 1) / 1_000);
      if (popped) await this.#hand(names[keys.indexOf(popped[0])] as string);
    } finally {
      clearTimeout(dead);
      this.#blockedOn = '';
    }
  }

  /** A token that nobody here wants any more belongs to somebody else. */
  async #hand(name: string): Promise<void> {
    if (this.#waiters.wakeOne(name)) return;
    await this.connections.commands.zadd(this.keys.wake(name), 0, '0');
  }

  async #unblock(): Promise<void> {
    const { work, commands } = this.connections;
    const id = await work.client('ID').catch(() => null);
    if (id !== null) await commands.call('CLIENT', 'UNBLOCK', String(id)).catch(() => null);
  }
}
