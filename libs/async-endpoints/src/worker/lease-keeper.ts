import type { Claim } from '../job/job.js';
import { Batcher } from '../store/batcher.js';
import type { JobChange, JobStore, RenewalReply } from '../store/job-store.js';
import { Loop } from './loop.js';
import { Run } from './run.js';

export interface LeaseKeeperOptions {
  workerId: string;
  leaseMs: number;
  abortGraceMs: number;
  onError: (error: unknown) => void;
}

/**
 * Keeps the claims of everything that runs here, and ends the runs that may not go on:
 *
 * 1. renews all leases in one call, at a third of the lease, sooner after an error; progress goes along, or at once when
 *    reported
 * 2. aborts a run when the store says that its claim is lost or its job canceled, in a reply or by push
 * 3. aborts a run when our own clock says that its lease has run out, whether or not the store answers
 * 4. aborts a run at its deadline
 *
 * One timer serves 3 and 4 for all runs; a new run costs none.
 */
export class LeaseKeeper {
  readonly #runs = new Map<string, Run>();
  readonly #renewals: Batcher<Run, RenewalReply>;
  readonly #heartbeat: Loop;
  readonly #report = (run: Run) => this.#renew(run);
  #unwatch: (() => void) | undefined;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  #checkAt = Infinity;

  constructor(
    private readonly store: JobStore,
    private readonly options: LeaseKeeperOptions,
  ) {
    this.#renewals = new Batcher((runs) => this.#renewAll(runs));
    this.#heartbeat = new Loop(() => this.#beat(), { intervalMs: options.leaseMs / 3, onError: options.onError });
  }

  async open(): Promise<void> {
    await this.#watch().catch(this.options.onError);
    this.#heartbeat.start();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unwatch?.();
    clearTimeout(this.#timer);
    await this.#heartbeat.stop();
  }

  /** @param claimedAt when the claim was asked for, on the monotonic clock */
  hold(claim: Claim, timeoutMs: number, claimedAt: number): Run {
    const { leaseMs, abortGraceMs } = this.options;
    const lease = { timeoutMs, leaseUntil: claimedAt + leaseMs };
    const run = new Run(claim, lease, abortGraceMs, this.#report);
    this.#runs.set(claim.job.id, run);
    this.#checkBy(Math.min(run.leaseUntil, run.deadlineAt));
    return run;
  }

  drop(run: Run): void {
    if (this.#runs.get(run.claim.job.id) === run) this.#runs.delete(run.claim.job.id);
  }

  /** Tells every run to end because the process does. */
  shutDown(): void {
    for (const run of this.#runs.values()) run.abort('SHUTTING_DOWN');
  }

  /** What it throws is followed by another beat before long. */
  async #beat(): Promise<void> {
    const ours = [...this.#runs.values()].filter((run) => run.isOurs);
    await Promise.all([this.#watch(), ...ours.map((run) => this.#renewals.push(run))]);
  }

  async #watch(): Promise<void> {
    if (this.#unwatch) return;
    const unwatch = await this.store.watch({ worker: this.options.workerId }, (change) => this.#revoked(change));
    this.#unwatch = unwatch;
    if (this.#closed) unwatch();
  }

  async #renew(run: Run): Promise<void> {
    await this.#renewals.push(run).catch(() => {}); // reported once for the batch
  }

  async #renewAll(runs: Run[]): Promise<RenewalReply[]> {
    const { leaseMs } = this.options;
    const sentAt = performance.now();
    const renewals = runs.map(({ claim, unsentProgress }) => ({
      id: claim.job.id,
      token: claim.token,
      leaseMs,
      ...(unsentProgress && { progress: unsentProgress }),
    }));
    try {
      const replies = await this.store.renew(renewals);
      runs.forEach((run, index) => {
        if (run.unsentProgress === renewals[index]?.progress) run.unsentProgress = undefined;
        if (replies[index] === 'held') run.leaseUntil = sentAt + leaseMs;
        else run.abort(replies[index] === 'canceled' ? 'JOB_CANCELED' : 'CLAIM_LOST');
      });
      return replies;
    } catch (error) {
      this.options.onError(error);
      throw error;
    }
  }

  #revoked({ id, status, version }: JobChange): void {
    const run = this.#runs.get(id);
    // An event about an earlier claim of a job that this worker has claimed anew.
    if (!run || version <= run.claim.job.version) return;
    run.abort(status === 'Canceled' ? 'JOB_CANCELED' : 'CLAIM_LOST');
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
    for (const run of this.#runs.values()) {
      if (run.deadlineAt <= now) run.abort('JOB_TIMEOUT');
      else if (run.leaseUntil <= now) run.abort('CLAIM_LOST');
      if (!run.aborted) next = Math.min(next, run.leaseUntil, run.deadlineAt);
    }
    this.#checkAt = Infinity;
    if (next !== Infinity) this.#checkBy(next);
  }
}
