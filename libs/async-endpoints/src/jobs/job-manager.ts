import { Inject, Injectable } from '@nestjs/common';
import { defer, map, NEVER, type Observable } from 'rxjs';
import { boundedLimit, checkDuration } from '../job/bounds.js';
import { decodeJob, decodeJobs } from '../job/decode-job.js';
import type { JobDefinition, JobResult, SubmittedPayload } from '../job/define-job.js';
import { parseJobId, toJobId } from '../job/job-id.js';
import type { Job, SubmittedJob } from '../job/job.js';
import type { Serialized } from '../job/serialized.js';
import { OPTIONS, type ResolvedOptions } from '../options/options.js';
import {
  type JobFilter,
  type JobPage,
  JobStore,
  type LiveWorker,
  type PausedQueue,
  type QueueStats,
} from '../store/job-store.js';
import {
  changeAll,
  changedJobs,
  changeOne,
  jobsRunningFor,
  pauseOrResume,
  recoverAll,
  rerunRunningFor,
} from '../store/loops.js';
import { depthOf } from '../store/verbs.js';
import type { WaitOptions } from './follow.js';
import { JobRecords } from './job-records.js';
import { JobSchedules } from './job-schedules.js';
import type { SubmitOptions } from './new-job.js';

/** One job, or several, by definition or name. */
export type JobNames = JobDefinition | string | readonly (JobDefinition | string)[];

/** Submits, reads, follows and changes jobs from any code of the application. */
@Injectable()
export class JobManager {
  constructor(
    @Inject(JobStore) private readonly store: JobStore,
    @Inject(JobRecords) private readonly records: JobRecords,
    /** The schedules of recurring jobs. */
    @Inject(JobSchedules) readonly schedules: JobSchedules,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * Accepts a job. When the promise resolves, the store has it.
   *
   * @throws AsyncEndpointsError `QUEUE_FULL`, `REQUEST_ID_CONFLICT`, `IDEMPOTENCY_KEY_REUSED`, `PAYLOAD_TOO_LARGE`,
   * `PAYLOAD_NOT_SERIALIZABLE`, `INVALID_JOB_ID`, `INVALID_OPTION`, `STORE_UNAVAILABLE`,
   * `STORE_FULL`, `STORE_READ_ONLY`
   */
  async submit<TPayload, TResult>(
    job: JobDefinition<TPayload, TResult, unknown> | string,
    payload: TPayload,
    options: SubmitOptions = {},
  ): Promise<SubmittedJob<Serialized<TResult>>> {
    const { job: record, replayed } = await this.records.submit(job, payload, options);
    return Object.assign(decodeJob<Serialized<TResult>>(record), { replayed });
  }

  /** Submits several jobs in one call. Each succeeds or fails on its own. */
  submitMany<TJob extends JobDefinition>(
    job: TJob,
    submissions: readonly (SubmitOptions & { payload: SubmittedPayload<TJob> })[],
  ): Promise<PromiseSettledResult<SubmittedJob<JobResult<TJob>>>[]> {
    return Promise.allSettled(
      submissions.map(({ payload, ...options }) => this.submit(job, payload as unknown, options)),
    ) as Promise<PromiseSettledResult<SubmittedJob<JobResult<TJob>>>[]>;
  }

  /** Returns the job, or null when there is none, also when the id is not a valid UUID. */
  async find<TResult = unknown>(id: string): Promise<Job<TResult> | null> {
    const record = await this.records.find(parseJobId(id));
    return record && decodeJob<TResult>(record);
  }

  /**
   * Returns the job when it has this owner (null: no owner). For a job of another owner it returns null, as for an unknown
   * job, and the store does not read its record.
   */
  async findOwned<TResult = unknown>(id: string, owner: string | null): Promise<Job<TResult> | null> {
    const record = await this.records.find(parseJobId(id), { owner });
    return record && decodeJob<TResult>(record);
  }

  /**
   * Returns a page of jobs, newest first: the job that came last into its present status is the first. Redis lists one name and
   * status after another instead, and PostgreSQL lists by submission. A page may be short or empty; the last one has a null cursor.
   *
   * @param page `limit`, brought into 1 to 1000, default 50
   * @throws AsyncEndpointsError `INVALID_OPTION` for a cursor that no page had, or a limit or duration that is not a number
   */
  async list(filter: JobFilter = {}, page: { limit?: number; cursor?: string } = {}): Promise<JobPage<Job>> {
    const limit = boundedLimit(page.limit ?? 50, 1_000);
    if (filter.runningForMs !== undefined) checkDuration('runningForMs', filter.runningForMs);
    const { jobs, cursor } = await this.store.list(filter, { ...page, limit });
    return { jobs: decodeJobs(jobs), cursor };
  }

  /**
   * Cancels a job. A waiting job is canceled at once. For a running job, the claim is revoked and the handler's signal is
   * aborted. A canceled job is returned unchanged.
   *
   * @throws AsyncEndpointsError `JOB_NOT_FOUND`, `JOB_ALREADY_FINISHED`, `STORE_UNAVAILABLE`
   */
  async cancel(id: string): Promise<Job> {
    return decodeJob(await this.records.cancel(toJobId(id)));
  }

  /**
   * Queues a failed or canceled job again, with all its attempts.
   *
   * @throws AsyncEndpointsError `JOB_NOT_FOUND`, `JOB_NOT_RERUNNABLE`, `STORE_UNAVAILABLE`
   */
  async rerun(id: string): Promise<Job> {
    return decodeJob(await changeOne(this.store, 'rerun', toJobId(id)));
  }

  /**
   * Cancels several jobs, each on its own, and returns those that are canceled now.
   *
   * @throws AsyncEndpointsError `INVALID_JOB_ID`, `STORE_UNAVAILABLE`
   */
  async cancelMany(ids: readonly string[]): Promise<Job[]> {
    return (await changedJobs(changeAll(this.store, 'cancel', ids.map(toJobId)))).map(decodeJob);
  }

  /**
   * Queues several failed or canceled jobs again, each on its own, and returns those that are queued now.
   *
   * @throws AsyncEndpointsError `INVALID_JOB_ID`, `STORE_UNAVAILABLE`
   */
  async rerunMany(ids: readonly string[]): Promise<Job[]> {
    return (await changedJobs(changeAll(this.store, 'rerun', ids.map(toJobId)))).map(decodeJob);
  }

  /**
   * Emits the job now and after each change, until it is terminal or `until` emits, when the job is read once more. Changes
   * in quick succession may be merged. The store is not polled. All followers of a job in this process share one subscription
   * and one read for each change. A follower without a subscriber costs nothing.
   *
   * The observable fails with `JOB_NOT_FOUND`, `INVALID_JOB_ID` or `STORE_UNAVAILABLE`.
   */
  follow<TResult = unknown>(id: string, until: Observable<unknown> = NEVER): Observable<Job<TResult>> {
    return defer(() => this.records.followed.follow(toJobId(id), until)).pipe(map(decodeJob<TResult>));
  }

  /** Emits the job when it is terminal. Changes before that are not read. */
  followToEnd<TResult = unknown>(id: string, until: Observable<unknown> = NEVER): Observable<Job<TResult>> {
    return defer(() => this.records.followed.followToEnd(toJobId(id), until)).pipe(map(decodeJob<TResult>));
  }

  /**
   * Waits until the job is terminal, without polling the store. After `timeoutMs` it resolves with the current job, so check
   * its status.
   *
   * @throws AsyncEndpointsError `JOB_NOT_FOUND`, `STORE_UNAVAILABLE`, `INVALID_OPTION` for a `timeoutMs` that is not a
   * number from 0; the signal's reason when it is aborted
   */
  async waitFor<TResult = unknown>(id: string, options: WaitOptions = {}): Promise<Job<TResult>> {
    return decodeJob<TResult>(await this.records.followed.waitFor(toJobId(id), options));
  }

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
