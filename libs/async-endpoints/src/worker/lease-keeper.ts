import type { JobChange, JobStore } from '../store/job-store.js';
import { Loop } from './loop.js';
import { Renewals } from './renewals.js';
import type { Run, Runs } from './run.js';

interface LeaseKeeperOptions {
  workerId: string;
  leaseMs: number;
  abortOnLeaseEnd: boolean;
  onError: (error: unknown) => void;
}

/**
 * Keeps the claims of all runs of this worker, and aborts the runs that must end:
 *
 * 1. renews all leases in one call, at a third of the lease, sooner after an error
 * 2. aborts a run when the store reports, in a reply or a notification, that its claim is lost or its job canceled
 * 3. aborts a run at its deadline
 * 4. only with `abortOnLeaseEnd`: aborts a run when its lease has expired by the clock of this process. Without the option the
 * run continues while the store is unreachable, and the first reply decides (docs/decisions/0056)
 *
 * One timer serves 3 and 4 for all runs; a new run costs none.
 */
export class LeaseKeeper {
  readonly #renewals: Renewals;
  readonly #heartbeats: Loop;
  /** Sends the progress of a run. */
  readonly report = (run: Run) => this.#renewals.report(run);
  #unsubscribe: (() => void) | undefined;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  #checkAt = Infinity;

  constructor(
    private readonly store: JobStore,
    private readonly runs: Runs,
    private readonly options: LeaseKeeperOptions,
  ) {
    const { leaseMs, onError } = options;
    this.#renewals = new Renewals(store, leaseMs, onError);
    this.#heartbeats = new Loop(() => this.#heartbeat(), { intervalMs: leaseMs / 3, onError });
  }

  async open(): Promise<void> {
    await this.#subscribe().catch(this.options.onError);
    this.#heartbeats.start();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe?.();
    clearTimeout(this.#timer);
    await this.#heartbeats.stop();
  }

  /** Schedules the abort of a run at its deadline or lease end. */
  keep(run: Run): void {
    this.#checkBy(this.#endOf(run));
  }

  /**
   * Renews the claims of this worker whose lease has expired by its own clock, because its event loop was blocked or the store
   * was unreachable. Finds out which claims are lost. Rejects when the store does not reply.
   */
  async renewOverdue(): Promise<void> {
    const now = performance.now();
    const overdue = this.#ours().filter(({ leaseUntil }) => leaseUntil <= now);
    if (overdue.length > 0) await this.#renewals.heartbeat(overdue);
  }

  /** After an error, the next heartbeat follows soon. */
  async #heartbeat(): Promise<void> {
    await Promise.all([this.#subscribe(), this.#renewals.heartbeat(this.#ours())]);
  }

  #ours(): Run[] {
    return [...this.runs].filter((run) => run.isOurs);
  }

  async #subscribe(): Promise<void> {
    if (this.#unsubscribe) return;
    const unsubscribe = await this.store.subscribe({ worker: this.options.workerId }, (change) =>
      this.#revoked(change),
    );
    this.#unsubscribe = unsubscribe;
    if (this.#closed) unsubscribe();
  }

  #revoked({ id, status, version }: JobChange): void {
    const run = this.runs.latest(id);
    // The notification concerns an earlier claim of a job that this worker has claimed again.
    if (!run || version <= run.claim.job.version) return;
    run.abort(status === 'Canceled' ? 'JOB_CANCELED' : 'CLAIM_LOST');
  }

  /** When the run must be aborted, unless its lease is renewed before. */
  #endOf({ deadlineAt, leaseUntil }: Run): number {
    return this.options.abortOnLeaseEnd ? Math.min(deadlineAt, leaseUntil) : deadlineAt;
  }

  #checkBy(time: number): void {
    if (time >= this.#checkAt) return;
    clearTimeout(this.#timer);
    this.#checkAt = time;
    this.#timer = setTimeout(() => this.#check(), Math.max(time - performance.now(), 1));
  }

  #check(): void {
    const now = performance.now();
    let next = Infinity;
    for (const run of this.runs) {
      if (run.deadlineAt <= now) run.abort('JOB_TIMEOUT');
      else if (this.#endOf(run) <= now) run.abort('CLAIM_LOST');
      if (!run.aborted) next = Math.min(next, this.#endOf(run));
    }
    this.#checkAt = Infinity;
    if (next !== Infinity) this.#checkBy(next);
  }
}
