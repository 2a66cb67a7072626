import { Logger } from '@nestjs/common';
import { logError } from '../events/error-text.js';
import type { WorkerOptions } from '../options/options.js';
import type { Run } from './run.js';

const PROGRESS_MS = 5_000;

/** Logs when the store begins to fail and when it works again: one line per change. */
export class StoreLog {
  readonly #logger = new Logger('JobWorker');
  #failing = false;

  failed(error: unknown): void {
    if (!this.#failing) logError(this.#logger, 'The job store fails; retrying until it works', error);
    this.#failing = true;
  }

  succeeded(): void {
    if (this.#failing) this.#logger.log('The job store works again');
    this.#failing = false;
  }
}

export function logUndelivered({ claim: { job } }: Run, error?: unknown): void {
  const what = `Job ${job.name} ${job.id}: its outcome is not stored; it runs again when its lease is over`;
  logError(new Logger('JobWorker'), what, error ?? 'the store has not answered yet');
}

/** Logs the shutdown of a worker: its beginning, the jobs that it waits for, and its end. */
export class ShutdownLog {
  readonly #logger = new Logger('JobWorker');
  readonly #startedAt = performance.now();
  readonly #progress: NodeJS.Timeout;

  /** @param running returns the number of jobs that have not ended */
  constructor(
    private readonly running: () => number,
    private readonly options: Pick<WorkerOptions, 'drainTimeoutMs'>,
  ) {
    const budget = inSeconds(options.drainTimeoutMs);
    this.#logger.log(`Shutting down: ${jobs(running())} running; waiting up to ${budget}`);
    this.#progress = setInterval(() => this.#remind(), PROGRESS_MS).unref();
  }

  abort(): void {
    const budget = inSeconds(this.options.drainTimeoutMs);
    this.#logger.warn(`${jobs(this.running())} still running after ${budget}: their signals are aborted`);
  }

  /** @param undelivered runs whose outcome did not reach the store */
  end(undelivered: Iterable<Run>): void {
    clearInterval(this.#progress);
    for (const run of undelivered) logUndelivered(run);
    this.#logger.log(`The worker has stopped after ${inSeconds(performance.now() - this.#startedAt)}`);
  }

  #remind(): void {
    const leftMs = this.options.drainTimeoutMs - (performance.now() - this.#startedAt);
    const left = leftMs > 0 ? `; ${inSeconds(leftMs)} left` : '';
    this.#logger.log(`Shutting down: ${jobs(this.running())} still running${left}`);
  }
}

function jobs(count: number): string {
  return count === 1 ? '1 job' : `${count} jobs`;
}

function inSeconds(ms: number): string {
  return `${Number((ms / 1_000).toPrecision(2))} s`;
}
