import { Batcher } from '../store/batcher.js';
import type { JobStore, RenewalReply } from '../store/job-store.js';
import { isRejected, outcomesOf } from '../store/parts.js';
import type { Run } from './run.js';

/**
 * Renews claims. Heartbeats use calls of their own, so that they never wait behind progress reports. Each run has at most one
 * progress report in flight and one waiting, which is always the latest, so memory does not grow with the number of reports.
 */
export class Renewals {
  readonly #heartbeats: Batcher<Run, RenewalReply>;
  readonly #reports: Batcher<Run, RenewalReply>;

  /** @param onError called for each failed call */
  constructor(
    private readonly store: JobStore,
    private readonly leaseMs: number,
    private readonly onError: (error: unknown) => void,
  ) {
    this.#heartbeats = new Batcher((runs) => this.#renew(runs, false));
    this.#reports = new Batcher((runs) => this.#renew(runs, true));
  }

  /** Resolves when the claims are renewed or known to be lost. Rejects when the store did not reply. */
  async heartbeat(runs: readonly Run[]): Promise<void> {
    await Promise.all(runs.map((run) => this.#heartbeats.push(run)));
    // The store replies again, so failed reports are sent again.
    for (const run of runs) if (run.isReportLost && run.isOurs) void this.report(run);
  }

  /** Resolves when the store has this progress or a newer one, or could not be reached. Never rejects. */
  report(run: Run): Promise<void> {
    return (run.reported ??= this.#reports.push(run).then(ignore, ignore));
  }

  async #renew(runs: Run[], withProgress: boolean): Promise<RenewalReply[]> {
    const sentAt = performance.now();
    const renewals = runs.map((run) => {
      const { claim, unsentProgress: progress } = run;
      const renewal = { id: claim.job.id, fence: claim.fence, leaseMs: this.leaseMs };
      if (!withProgress) return renewal;
      run.reported = undefined; // later reports are sent by the next call
      run.isReportLost = false;
      return progress ? { ...renewal, progress } : renewal;
    });
    const call = this.store.renew(renewals);
    const outcomes = await outcomesOf(call, runs.length);
    runs.forEach((run, index) => {
      const outcome = outcomes[index] as PromiseSettledResult<RenewalReply>;
      const { progress } = renewals[index] as { progress?: unknown };
      if (isRejected(outcome)) {
        run.isReportLost ||= withProgress;
        return;
      }
      if (progress !== undefined && run.unsentProgress === progress) run.unsentProgress = undefined;
      if (outcome.value === 'held') run.leaseUntil = sentAt + this.leaseMs;
      else run.abort(outcome.value === 'canceled' ? 'JOB_CANCELED' : 'CLAIM_LOST');
    });
    const failed = outcomes.find(isRejected);
    if (failed) this.onError(failed.reason);
    return call;
  }
}

function ignore(): void {}
