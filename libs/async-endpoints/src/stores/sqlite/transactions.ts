import { setTimeout as sleep } from 'node:timers/promises';
import { notOpen } from '../../store/lifetime.js';
import type { Checkpoints } from './checkpoints.js';
import { isBusy } from './driver.js';
import type { Statements } from './statements.js';
import type { Tally } from './tally.js';
import type { Trouble } from './trouble.js';

interface Task {
  run(now: number): void;
  /** Called when its changes are durable. */
  done(): void;
  failed(error: unknown): void;
}

const LONGEST_PAUSE_MS = 10;
/** How long one transaction may occupy the event loop before it commits and the other tasks get a new one. */
const LONGEST_HOLD_MS = 2;

/**
 * Commits the tasks of one turn of the event loop together, or in several transactions when they take long. While another process
 * writes, the event loop is free. When a task fails, the other tasks of its transaction are repeated without it.
 */
export class Transactions {
  #tasks: Task[] = [];
  #running: Promise<void> | undefined;
  #afterwards: (() => void)[] = [];
  #isClosed = false;

  constructor(
    private readonly statements: Statements,
    private readonly options: { path: string; busyTimeoutMs: number; now(): number },
    private readonly log: Pick<Checkpoints, 'pause' | 'committed'>,
    private readonly trouble: Pick<Trouble, 'isPresent' | 'errorOf' | 'over'>,
    private readonly tally: Pick<Tally, 'flush' | 'discard'>,
  ) {}

  /** @param work runs synchronously within the transaction */
  write<T>(work: (now: number) => T): Promise<T> {
    if (this.#isClosed) return Promise.reject(notOpen());
    return new Promise<T>((resolve, reject) => {
      let reply: T;
      this.#tasks.push({ run: (now) => void (reply = work(now)), done: () => resolve(reply), failed: reject });
      this.#running ??= this.#run();
    });
  }

  /** Called within a transaction. @param action called when the transaction is durable */
  afterwards(action: () => void): void {
    this.#afterwards.push(action);
  }

  /** Resolves when all tasks are done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#tasks.length > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      await this.#perform(this.#tasks);
    }
    this.#running = undefined;
  }

  /** Performs the first tasks of the queue, and removes them from it. */
  async #perform(queue: Task[]): Promise<void> {
    try {
      await this.log.pause;
      await whenFree(this.options.busyTimeoutMs, () => this.statements.begin.run());
    } catch (error) {
      const failure = this.trouble.errorOf(error);
      for (const task of queue.splice(0)) task.failed(failure);
      return;
    }
    const tasks: Task[] = [];
    try {
      const now = this.options.now();
      const until = performance.now() + LONGEST_HOLD_MS;
      for (const task of queue) {
        tasks.push(task);
        task.run(now);
        if (performance.now() > until) break;
      }
      this.tally.flush();
      // What changes nothing proves nothing.
      if (this.trouble.isPresent) this.statements.probe.run();
      this.statements.commit.run();
    } catch (error) {
      queue.splice(0, tasks.length);
      return this.#undo(tasks, error);
    }
    queue.splice(0, tasks.length);
    for (const task of tasks) task.done();
    for (const action of this.#afterwards.splice(0)) action();
    this.trouble.over();
    this.log.committed();
  }

  async #undo(tasks: readonly Task[], error: unknown): Promise<void> {
    this.#afterwards = [];
    this.tally.discard();
    try {
      this.statements.rollback.run();
    } catch {
      // SQLite has rolled back by itself
    }
    if (tasks.length === 1) return tasks[0]?.failed(this.trouble.errorOf(error));
    for (const task of tasks) await this.#perform([task]);
  }
}

/**
 * Runs `work` as soon as no other process writes, without blocking the event loop while it waits. @throws the last error of
 * `work`
 */
export async function whenFree(busyTimeoutMs: number, work: () => unknown): Promise<void> {
  const deadline = performance.now() + busyTimeoutMs;
  for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      work();
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
      await sleep(Math.random() * pauseMs);
    }
  }
}
