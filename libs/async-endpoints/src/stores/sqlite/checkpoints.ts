// oxlint-disable unicorn/require-post-message-target-origin -- threads have none
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { Database } from './driver.js';

/** The size at which the log is written into the database and emptied: 1,000 pages, the default of SQLite. */
const LARGE = 4 * 1024 * 1024;
/** The number of commits between two checks of the size of the log. */
const COMMITS = 16;
const CLOSE_MS = 5_000;

/**
 * Runs in the thread, as text so that bundlers and test runners need to know nothing of it. `copy` writes most of the log into the
 * database while others write; `empty` does the rest, for which nobody may write.
 */
const THREAD = `
const { parentPort, workerData: { path, driver } } = require('node:worker_threads');
process.removeAllListeners('warning'); // the main thread has said it
const Driver = driver === null ? require('node:sqlite').DatabaseSync : require(driver);
const database = new Driver(path, { timeout: 100 });
database.exec('PRAGMA busy_timeout = 100');
const tasks = {
  copy: database.prepare('PRAGMA wal_checkpoint(PASSIVE)'),
  empty: database.prepare('PRAGMA wal_checkpoint(TRUNCATE)'),
};
parentPort.on('message', (message) => {
  if (message === 'close') {
    database.close();
    return parentPort.close();
  }
  for (let time = message === 'copy' ? 2 : 1; time > 0; time--) {
    try { tasks[message].get(); } catch {} // another process does it, or the next time
  }
  parentPort.postMessage(message);
});
parentPort.postMessage('ready');
`;

/**
 * Writes the log into the database in a thread, so that the event loop does not wait for the disk. Where no thread can be had, SQLite
 * does it itself, within a commit.
 */
export class Checkpoints {
  /** `null` when this process may start no thread, as under the permission model of Node.js. */
  #thread: Worker | null | undefined;
  /** Resolves when the thread has ended. */
  #ended: Promise<unknown> | undefined;
  /** Whether the thread has nothing to do. */
  #isIdle = false;
  #commits = 0;
  #emptied: (() => void) | undefined;
  /** While there is one, no transaction may begin: the rest of the log is written and the log emptied. */
  pause: Promise<void> | undefined;

  constructor(
    private readonly database: Database,
    private readonly path: string,
    private readonly log = `${path}-wal`,
  ) {}

  /** Called after each commit. */
  committed(): void {
    if (this.#thread === null || ++this.#commits % COMMITS !== 0) return;
    if ((statSync(this.log, { throwIfNoEntry: false })?.size ?? 0) < LARGE) return;
    if (!this.#thread) return this.#start();
    if (!this.#isIdle) return;
    this.#isIdle = false;
    this.#thread.postMessage('copy');
  }

  async close(): Promise<void> {
    const thread = this.#thread;
    if (!thread) return;
    thread.postMessage('close');
    const deadline = setTimeout(() => void thread.terminate(), CLOSE_MS);
    await this.#ended;
    clearTimeout(deadline);
  }

  #start(): void {
    const isBuiltIn = this.database.constructor.name === 'DatabaseSync';
    try {
      const driver = isBuiltIn ? null : createRequire(import.meta.url).resolve('better-sqlite3');
      this.#thread = new Worker(THREAD, { eval: true, workerData: { path: this.path, driver } });
    } catch {
      this.#thread = null;
      return;
    }
    const thread = this.#thread;
    thread.unref();
    this.#ended = new Promise((resolve) => thread.once('exit', resolve));
    thread.on('message', (message) => this.#answered(thread, message as 'ready' | 'copy' | 'empty'));
    // Do not start it again: SQLite then checkpoints by itself.
    const stop = () => {
      this.#isIdle = false;
      this.pause = undefined;
      this.#emptied?.();
      try {
        this.database.exec('PRAGMA wal_autocheckpoint = 1000');
      } catch {
        // it is closed
      }
    };
    thread.on('error', stop).on('exit', stop);
  }

  /** Between two transactions, as each is one step. */
  #answered(thread: Worker, message: 'ready' | 'copy' | 'empty'): void {
    if (message === 'ready') this.database.exec('PRAGMA wal_autocheckpoint = 0');
    if (message === 'copy') {
      this.pause = new Promise((resolve) => (this.#emptied = resolve));
      thread.postMessage('empty');
      return;
    }
    this.pause = undefined;
    this.#emptied?.();
    this.#isIdle = true;
  }
}
