import { Inject, Injectable } from '@nestjs/common';
import { defer, NEVER, type Observable } from 'rxjs';
import { checkDuration } from '../job/bounds.js';
import { decodeJob, decodeJobs } from '../job/decode-job.js';
import type { JobDefinition, JobResult, SubmittedPayload } from '../job/define-job.js';
import { AsyncEndpointsError } from '../job/errors.js';
import { parseJobId } from '../job/job-id.js';
import type { Job, JobRecord, SubmittedJob } from '../job/job.js';
import type { Serialized } from '../job/serialized.js';
import { OPTIONS, type ResolvedOptions } from '../options/options.js';
import { JobPolicies } from '../options/policies.js';
import { Batcher } from '../store/batcher.js';
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
  findOwned,
  jobsRunningFor,
  type OwnedId,
  pauseOrResume,
  recoverAll,
} from '../store/loops.js';
import { depthOf } from '../store/verbs.js';
import { FollowedJobs, type WaitOptions } from './follow.js';
import { JobSubmissions, type SubmitOptions, toJobId } from './submit.js';

/** One job, or several, by definition or name. */
export type JobNames = JobDefinition | string | readonly (JobDefinition | string)[];

/** What applications call: everything that can be done with jobs, from anywhere in the application. */
@Injectable()
export class JobManager {
  readonly #submissions: JobSubmissions;
  readonly #reads: Batcher<string, JobRecord | null>;
  readonly #ownReads: Batcher<OwnedId, JobRecord | null>;
  readonly #followed: FollowedJobs;

  constructor(
    @Inject(JobStore) private readonly store: JobStore,
    @Inject(JobPolicies) policies: JobPolicies,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {
    this.#submissions = new JobSubmissions(store, policies, options);
    this.#reads = new Batcher((ids) => store.find(ids), { overlap: 2 });
    this.#ownReads = new Batcher((jobs) => findOwned(store, jobs), { overlap: 2 });
    this.#followed = new FollowedJobs(store, (id) => this.#reads.push(id));
  }

  /**
   * Accepts a job. When the promise resolves, the store has it.
   *
   * @throws AsyncEndpointsError `QUEUE_FULL`, `REQUEST_ID_CONFLICT`, `IDEMPOTENCY_KEY_REUSED`, `PAYLOAD_TOO_LARGE`,
   * `PAYLOAD_NOT_SERIALIZABLE`, `INVALID_JOB_ID`, `INVALID_OPTION`, `STORE_UNAVAILABLE`,
   * `STORE_FULL`, `STORE_READ_ONLY`
   */
  submit<TPayload, TResult>(
    job: JobDefinition<TPayload, TResult, unknown> | string,
    payload: TPayload,
    options: SubmitOptions = {},
  ): Promise<SubmittedJob<Serialized<TResult>>> {
    return this.#submissions.submit(job, payload, options);
  }

  /** Submits many at once, each for itself: one that is refused does not stop the others. */
  submitMany<TJob extends JobDefinition>(
    job: TJob,
    submissions: readonly (SubmitOptions & { payload: SubmittedPayload<TJob> })[],
  ): Promise<PromiseSettledResult<SubmittedJob<JobResult<TJob>>>[]> {
    return Promise.allSettled(
      submissions.map(({ payload, ...options }) => this.#submissions.submit<JobResult<TJob>>(job, payload, options)),
    );
  }

  /** The job as it stands, or null where there is none. An id that is no UUID is no job's. */
  async find<TResult = unknown>(id: string): Promise<Job<TResult> | null> {
    const parsed = parseJobId(id);
    const job = parsed === null ? null : await this.#reads.push(parsed);
    return job && decodeJob<TResult>(job);
  }

  /**
   * As `find`, for one owner, null for nobody: a job of another is null, as one that does not exist, and its record is not
   * read.
   */
  async findOwned<TResult = unknown>(id: string, owner: string | null): Promise<Job<TResult> | null> {
    const parsed = parseJobId(id);
    const job = parsed === null ? null : await this.#ownReads.push({ id: parsed, owner });
    // A store of the application's own may not know of owners.
    return job?.owner === owner ? decodeJob<TResult>(job) : null;
  }

  /**
   * A page of jobs, in no particular order. Only a null cursor is the end: a page may be short before it.
   *
   * @param page `limit`, brought into 1 to 1000, default 50
   * @throws AsyncEndpointsError `INVALID_OPTION` for a cursor that this did not give, or a limit or duration that is no number
   */
  async list(filter: JobFilter = {}, page: { limit?: number; cursor?: string } = {}): Promise<JobPage<Job>> {
    const { limit: most = 50 } = page;
    if (typeof most !== 'number' || Number.isNaN(most)) {
      throw new AsyncEndpointsError('INVALID_OPTION', `limit is ${String(most)}; expected a number.`);
    }
    const limit = Math.min(Math.max(Math.trunc(most), 1), 1_000);
    if (filter.runningForMs !== undefined) checkDuration('runningForMs', filter.runningForMs);
    const { jobs, cursor } = await this.store.list(filter, { ...page, limit });
    return { jobs: decodeJobs(jobs), cursor };
  }

  /**
   * Cancels a job: at once when it waits; when it runs, its claim is revoked and its handler's signal fires. A job that
   * was canceled before is answered as it is.
   *
   * @throws AsyncEndpointsError `JOB_NOT_FOUND`, `JOB_ALREADY_FINISHED`, `STORE_UNAVAILABLE`
   */
  async cancel(id: string): Promise<Job> {
    return decodeJob(await changeOne(this.store, 'cancel', toJobId(id)));
  }

  /**
   * Queues a failed or canceled job anew, with all its attempts.
   *
   * @throws AsyncEndpointsError `JOB_NOT_FOUND`, `JOB_NOT_RERUNNABLE`, `STORE_UNAVAILABLE`
   */
  async rerun(id: string): Promise<Job> {
    return decodeJob(await changeOne(this.store, 'rerun', toJobId(id)));
  }

  /**
   * Cancels many, each for itself; answers those that are canceled now.
   *
   * @throws AsyncEndpointsError `INVALID_JOB_ID`, `STORE_UNAVAILABLE`
   */
  async cancelMany(ids: readonly string[]): Promise<Job[]> {
    return (await changedJobs(changeAll(this.store, 'cancel', ids.map(toJobId)))).map(decodeJob);
  }

  /**
   * Queues many anew, each for itself; answers those that are queued now.
   *
   * @throws AsyncEndpointsError `INVALID_JOB_ID`, `STORE_UNAVAILABLE`
   */
  async rerunMany(ids: readonly string[]): Promise<Job[]> {
    return (await changedJobs(changeAll(this.store, 'rerun', ids.map(toJobId)))).map(decodeJob);
  }

  /**
   * The job as it stands, then after each change (changes may be merged) until it has finished, or `until` emits: then it
   * is read once more. The store is not polled, and however many follow one job in this process, it is watched once, and
   * read once per change; an unsubscribed follower costs nothing.
   *
   * The observable fails with `JOB_NOT_FOUND`, `INVALID_JOB_ID` or `STORE_UNAVAILABLE`.
   */
  follow<TResult = unknown>(id: string, until: Observable<unknown> = NEVER): Observable<Job<TResult>> {
    return defer(() => this.#followed.follow(toJobId(id), until) as Observable<Job<TResult>>);
  }

  /** As `follow`, for who cares for the end alone: what happens before is not read. */
  followToEnd<TResult = unknown>(id: string, until: Observable<unknown> = NEVER): Observable<Job<TResult>> {
    return defer(() => this.#followed.followToEnd(toJobId(id), until) as Observable<Job<TResult>>);
  }

  /**
   * Waits until the job has finished, without polling the store. Past `timeoutMs` it resolves with the job as it then
   * stands, so look at its status.
   *
   * @throws AsyncEndpointsError `JOB_NOT_FOUND`, `STORE_UNAVAILABLE`, `INVALID_OPTION` for a `timeoutMs` that is no number
   * from 0; the signal's reason when it is aborted
   */
  async waitFor<TResult = unknown>(id: string, options: WaitOptions = {}): Promise<Job<TResult>> {
    return this.#followed.waitFor(toJobId(id), options) as Promise<Job<TResult>>;
  }

  /** How many jobs wait to be started: of one name, or of all. */
  async depth(name?: string): Promise<number> {
    return depthOf(await this.store.stats(), name);
  }

  /**
   * Lets no worker start jobs of these names until they are resumed, also by other processes and after restarts. Submissions
   * are accepted, running jobs go on, and scheduled times stand. A name that is paused already stays as it is.
   *
   * @param options.by who does it: shown in the log and by `paused()`, at most 1000 characters
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

  /** Which names are paused, since when and by whom. */
  paused(): Promise<PausedQueue[]> {
    return this.store.paused();
  }

  /** The workers that live: of every process on this store that claims jobs and registered within the last 45 s (with the defaults). */
  workers(): Promise<LiveWorker[]> {
    return this.store.workers();
  }

  /** How many jobs of each name have each status, and for how long the oldest has had it. */
  stats(): Promise<QueueStats[]> {
    return this.store.stats();
  }

  /**
   * The jobs that have been running for at least this long, in ms.
   *
   * @throws AsyncEndpointsError `INVALID_OPTION` for what is not a number from 0
   */
  async runningFor(runningForMs: number): Promise<Job[]> {
    return (await jobsRunningFor(this.store, checkDuration('runningForMs', runningForMs))).map(decodeJob);
  }

  /**
   * Takes back every job whose worker has vanished, now instead of at the next sweep; answers them as they now stand.
   *
   * @param options.runningForMs takes also the jobs that have been running for at least this long, however alive their
   * workers are: the handler's signal fires, and the job is queued anew with all its attempts
   * @throws AsyncEndpointsError `INVALID_OPTION` for a `runningForMs` that is not a number from 0
   */
  async recover({ runningForMs }: { runningForMs?: number } = {}): Promise<Job[]> {
    if (runningForMs !== undefined) checkDuration('runningForMs', runningForMs);
    const recovered = await recoverAll(this.store, { ...this.options.recovery, leaseMs: this.options.worker.leaseMs });
    if (runningForMs === undefined) return recovered.map(decodeJob);
    const stuck = (await jobsRunningFor(this.store, runningForMs)).map(({ id }) => id);
    return [...recovered, ...(await changedJobs(changeAll(this.store, 'rerun', stuck, { runningForMs })))].map(
      decodeJob,
    );
  }
}

function namesOf(jobs: JobNames): string[] {
  return [jobs].flat().map((job) => (typeof job === 'string' ? job : (job as JobDefinition).name));
}
