import { checkDuration } from '../job/bounds.js';
import { decodeJob } from '../job/decode-job.js';
import type { JobDefinition } from '../job/define-job.js';
import type { Job } from '../job/job.js';
import type { ResolvedOptions } from '../options/options.js';
import type { JobStore, LiveWorker, PausedQueue, QueueStats } from '../store/job-store.js';
import { jobsRunningFor, pauseOrResume, recoverAll, rerunRunningFor } from '../store/loops.js';
import { depthOf } from '../store/queue-stats.js';

/** One job, or several, by definition or name. */
export type JobNames = JobDefinition | string | readonly (JobDefinition | string)[];

/** The part of `JobManager` that is about queues and workers instead of single jobs. */
export abstract class QueueOperations {
  protected constructor(
    protected readonly store: JobStore,
    private readonly options: ResolvedOptions,
  ) {}

  /** Returns the number of waiting jobs, of one name or of all. */
  async depth(name?: string): Promise<number> {
    return depthOf(await this.store.stats(), name);
  }

  /**
   * Stops all workers from starting jobs of these names until they are resumed, also after restarts. Submissions are accepted,
   * running jobs continue, and scheduled times do not move. A name that is already paused does not change.
   *
   * @param options.by who pauses, at most 1000 characters; in the log and in `paused()`
   * @throws AsyncEndpointsError `INVALID_OPTION`, `STORE_UNAVAILABLE`
   */
  pause(jobs: JobNames, { by = null }: { by?: string | null } = {}): Promise<void> {
    return pauseOrResume(this.store, 'pause', namesOf(jobs), by);
  }

  /**
   * Ends the pause of these names.
   *
   * @param options.by as of `pause`
   * @throws AsyncEndpointsError `INVALID_OPTION`, `STORE_UNAVAILABLE`
   */
  resume(jobs: JobNames, { by = null }: { by?: string | null } = {}): Promise<void> {
    return pauseOrResume(this.store, 'resume', namesOf(jobs), by);
  }

  /** Returns the paused names, with the time and the author of each pause. */
  paused(): Promise<PausedQueue[]> {
    return this.store.paused();
  }

  /** Returns the live workers: every process that claims jobs from this store and registered within 45 s (with the defaults). */
  workers(): Promise<LiveWorker[]> {
    return this.store.workers();
  }

  /** Returns the number of jobs for each name and status, and the age of the oldest. */
  stats(): Promise<QueueStats[]> {
    return this.store.stats();
  }

  /**
   * Returns the jobs that have been running for at least this long, in ms.
   *
   * @throws AsyncEndpointsError `INVALID_OPTION` for what is not a number from 0
   */
  async runningFor(runningForMs: number): Promise<Job[]> {
    return (await jobsRunningFor(this.store, checkDuration('runningForMs', runningForMs))).map(decodeJob);
  }

  /**
   * Recovers the jobs of dead workers now instead of at the next sweep, and returns them.
   *
   * @param options.runningForMs also queues jobs again that have been running for at least this long on live workers: the
   * handler's signal is aborted, and the job has all its attempts again
   * @throws AsyncEndpointsError `INVALID_OPTION` for a `runningForMs` that is not a number from 0
   */
  async recover({ runningForMs }: { runningForMs?: number } = {}): Promise<Job[]> {
    if (runningForMs !== undefined) checkDuration('runningForMs', runningForMs);
    const recovered = await recoverAll(this.store, { ...this.options.recovery, leaseMs: this.options.worker.leaseMs });
    const stuck = runningForMs === undefined ? [] : await rerunRunningFor(this.store, runningForMs);
    return [...recovered, ...stuck].map(decodeJob);
  }
}

function namesOf(jobs: JobNames): string[] {
  return [jobs].flat().map((job) => (typeof job === 'string' ? job : (job as JobDefinition).name));
}
