import { Inject, Injectable } from '@nestjs/common';
import { defer, map, NEVER, type Observable } from 'rxjs';
import { boundedLimit, checkDuration } from '../job/bounds.js';
import { decodeJob, decodeJobs } from '../job/decode-job.js';
import type { JobDefinition, JobResult, SubmittedPayload } from '../job/define-job.js';
import { parseJobId, toJobId } from '../job/job-id.js';
import type { Job, SubmittedJob } from '../job/job.js';
import type { Serialized } from '../job/serialized.js';
import { OPTIONS, type ResolvedOptions } from '../options/options.js';
import { type JobFilter, type JobPage, JobStore } from '../store/job-store.js';
import { changeAll, changedJobs, changeOne } from '../store/loops.js';
import type { WaitOptions } from './follow.js';
import { JobRecords } from './job-records.js';
import { JobSchedules } from './job-schedules.js';
import type { SubmitOptions } from './new-job.js';
import { QueueOperations } from './queue-operations.js';

/** Submits, reads, follows and changes jobs from any code of the application. */
@Injectable()
export class JobManager extends QueueOperations {
  constructor(
    @Inject(JobStore) store: JobStore,
    @Inject(JobRecords) private readonly records: JobRecords,
    /** The schedules of recurring jobs. */
    @Inject(JobSchedules) readonly schedules: JobSchedules,
    @Inject(OPTIONS) options: ResolvedOptions,
  ) {
    super(store, options);
  }

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
   * Returns a page of jobs, newest first: the job that came last into its present status is the first. A page may be short or
   * empty; the last one has a null cursor.
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
}
