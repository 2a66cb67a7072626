import { AsyncResource } from 'node:async_hooks';
import type { RunControl } from '../handlers/job-context.js';
import { AsyncEndpointsError, type ErrorCode } from '../job/errors.js';
import type { Claim, JobProgress } from '../job/job.js';

/** The reasons to abort a run. */
type AbortCode = Extract<ErrorCode, 'JOB_TIMEOUT' | 'JOB_CANCELED' | 'CLAIM_LOST' | 'SHUTTING_DOWN'>;

/** The run of one claim: its signal, deadline and lease. Times are on the monotonic clock. */
export class Run implements RunControl {
  readonly deadlineAt: number;
  /** The reason why the run was aborted. */
  aborted: AsyncEndpointsError | undefined;
  /** The end of the lease by the clock of this process. Counted from before the call to the store, so it is never too late. */
  leaseUntil: number;
  /** Progress that the store does not have yet. */
  unsentProgress: JobProgress | undefined;
  /** The promise of the waiting report, shared by all reports until it is sent. */
  reported: Promise<void> | undefined;
  /** Whether the latest report did not reach the store. */
  isReportLost = false;
  /** The deadline by the wall clock, for the handler. */
  readonly #deadlineMs: number;
  #controller: AbortController | undefined;
  /**
   * The handler's async context, in which its abort listeners run, instead of the context of the caller that canceled the job.
   */
  #context: AsyncResource | undefined;
  #abandon: ((reason: unknown) => void) | undefined;
  #grace: NodeJS.Timeout | undefined;

  constructor(
    readonly claim: Claim,
    private readonly options: { timeoutMs: number; leaseUntil: number; graceMs: number },
    private readonly send: (run: Run) => Promise<void>,
  ) {
    this.deadlineAt = performance.now() + options.timeoutMs;
    this.#deadlineMs = Date.now() + options.timeoutMs;
    this.leaseUntil = options.leaseUntil;
  }

  get deadline(): Date {
    return new Date(this.#deadlineMs);
  }

  /** Created on first use: most handlers never read the signal, and it is the most expensive part of a run. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      this.#context = new AsyncResource('JobRun');
      if (this.aborted) this.#controller.abort(this.aborted);
    }
    return this.#controller.signal;
  }

  /** Whether the store would accept the settlement, as far as this process knows. */
  get isOurs(): boolean {
    return this.aborted?.code !== 'CLAIM_LOST' && this.aborted?.code !== 'JOB_CANCELED';
  }

  report(progress: JobProgress): Promise<void> {
    this.unsentProgress = progress;
    return this.send(this);
  }

  /** Aborts the signal. When the handler does not end within the grace, the run ends without it. Only the first call counts. */
  abort(code: AbortCode): void {
    if (this.aborted) return;
    this.aborted = new AsyncEndpointsError(code);
    this.#context?.runInAsyncScope(() => this.#controller?.abort(this.aborted));
    if (this.#abandon) this.#grace = setTimeout(() => this.#abandon?.(this.aborted), this.options.graceMs);
  }

  /** Settles as `work` does, or rejects with the reason of the abort when `work` does not end within the grace. */
  finish<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const ended =
        <V>(settle: (value: V) => void) =>
        (value: V) => {
          clearTimeout(this.#grace);
          this.#abandon = undefined;
          settle(value);
        };
      this.#abandon = ended(reject);
      work.then(ended(resolve), this.#abandon);
    });
  }
}

/** The runs of a worker. It may have two of one job: one whose claim was lost, and a later one. */
export class Runs {
  readonly #work = new Map<Run, Promise<void>>();
  readonly #latest = new Map<string, Run>();

  get size(): number {
    return this.#work.size;
  }

  add(run: Run, work: Promise<void>): void {
    this.#work.set(run, work);
    this.#latest.set(run.claim.job.id, run);
  }

  delete(run: Run): void {
    this.#work.delete(run);
    const { id } = run.claim.job;
    if (this.#latest.get(id) === run) this.#latest.delete(id);
  }

  latest(id: string): Run | undefined {
    return this.#latest.get(id);
  }

  /** Resolves when there is none. */
  async ended(): Promise<void> {
    while (this.size > 0) await Promise.all(this.#work.values());
  }

  [Symbol.iterator](): Iterator<Run> {
    return this.#work.keys();
  }
}
