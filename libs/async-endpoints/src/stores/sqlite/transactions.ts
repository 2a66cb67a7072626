import { setTimeout as sleep } from 'node:timers/promises';
import { notOpen } from '../../store/lifetime.js';
import { isBusy, translated } from './driver.js';
import type { Statements } from './statements.js';

interface Task {
  run(now: number): void;
  /** Called when its changes are durable. */
  done(): void;
  failed(error: unknown): void;
}

const LONGEST_PAUSE_MS = 10;
/** How long one transaction may hold the event loop before it is committed and the rest gets another one. */
const LONGEST_HOLD_MS = 3;

/**
 * All that is asked for in one turn of the event loop is one transaction, or several when that takes long. Another process that writes is waited for without
 * holding the event loop. Where one task fails, the others are done without it.
 */
export class Transactions {
  #tasks: Task[] = [];
  #running: Promise<void> | undefined;
  #afterwards: (() => void)[] = [];
  #isClosed = false;

  constructor(
    private readonly statements: Statements,
    private readonly options: { path: string; busyTimeoutMs: number; now(): number },
  ) {}

  /** @param work runs within the transaction, in one piece */
  write<T>(work: (now: number) => T): Promise<T> {
    if (this.#isClosed) return Promise.reject(notOpen());
    return new Promise<T>((resolve, reject) => {
      let reply: T;
      this.#tasks.push({ run: (now) => void (reply = work(now)), done: () => resolve(reply), failed: reject });
      this.#running ??= this.#run();
    });
  }

  /** To be called within a transaction: what is to happen once it is durable. */
  afterwards(action: () => void): void {
    this.#afterwards.push(action);
  }

  /** Resolves when nothing is written any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#tasks.length > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      const begun = await this.#begin();
      if (begun.error === undefined) await this.#perform(this.#tasks);
      else for (const task of this.#tasks.splice(0)) task.failed(begun.error);
    }
    this.#running = undefined;
  }

  /** Answers the error where the others write for too long, or the file cannot be written. */
  async #begin(): Promise<{ error?: unknown }> {
    const deadline = performance.now() + this.options.busyTimeoutMs;
    for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        this.statements.begin.run();
        return {};
      } catch (error) {
        if (!isBusy(error) || performance.now() > deadline) return { error: translated(error, this.options.path) };
        await sleep(Math.random() * pauseMs);
      }
    }
  }

  /** Performs the first tasks of the queue, and removes them from it. */
  async #perform(queue: Task[]): Promise<void> {
    const tasks: Task[] = [];
    try {
      const now = this.options.now();
      const until = performance.now() + LONGEST_HOLD_MS;
      for (const task of queue) {
        tasks.push(task);
        task.run(now);
        if (performance.now() > until) break;
      }
      this.statements.commit.run();
    } catch (error) {
      queue.splice(0, tasks.length);
      return this.#undo(tasks, error);
    }
    queue.splice(0, tasks.length);
    for (const task of tasks) task.done();
    for (const action of this.#afterwards.splice(0)) action();
  }

  async #undo(tasks: readonly Task[], error: unknown): Promise<void> {
    this.#afterwards = [];
    try {
      this.statements.rollback.run();
    } catch {
      // SQLite has rolled back by itself
    }
    if (tasks.length === 1) return tasks[0]?.failed(translated(error, this.options.path));
    for (const task of tasks) {
      const begun = await this.#begin();
      if (begun.error === undefined) await this.#perform([task]);
      else task.failed(begun.error);
    }
  }
}
