import { Inject, Injectable } from '@nestjs/common';
import { Subject } from 'rxjs';
import { publish } from '../events/channels.js';
import { type JobSubmission, SUBMIT_MIDDLEWARE } from '../events/middleware.js';
import { carriedValues } from '../job/credentials.js';
import type { JobDefinition } from '../job/define-job.js';
import { AsyncEndpointsError } from '../job/errors.js';
import type { JobRecord, NewJob } from '../job/job.js';
import { OPTIONS, type ResolvedOptions } from '../options/options.js';
import { JobPolicies } from '../options/policies.js';
import { Batcher } from '../store/batcher.js';
import { JobStore, type Submission } from '../store/job-store.js';
import { changeOne } from '../store/loops.js';
import { FollowedJobs } from './follow.js';
import { newJob, type SubmitOptions } from './new-job.js';
import { submitWithin } from './submit-within.js';

/** The id of a job, and the owner that the job must have. */
type OwnedId = Pick<JobRecord, 'id' | 'owner'>;

/** An accepted submission. */
export interface Accepted {
  readonly id: string;
  readonly job: JobRecord;
  /** True when the same submission was accepted before. */
  readonly replayed: boolean;
}

/**
 * Submits, reads and follows jobs as they are stored: nothing parses a result. `JobManager` decodes them for the application, and
 * the HTTP side sends them as they are. Callers parse ids. Calls that arrive while a batch is in flight form the next batch.
 */
@Injectable()
export class JobRecords {
  readonly followed: FollowedJobs;
  /** Each completed job that this process reads, as often as it does. */
  readonly completed = new Subject<JobRecord>();
  readonly #submissions: Batcher<NewJob, Submission>;
  readonly #reads: Batcher<string, JobRecord | null>;
  readonly #ownReads: Batcher<OwnedId, JobRecord | null>;

  constructor(
    @Inject(JobStore) private readonly store: JobStore,
    @Inject(JobPolicies) private readonly policies: JobPolicies,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {
    const submit = (jobs: NewJob[]) => store.submit(jobs, policies.queueLimits);
    this.#submissions = new Batcher(submit, { overlap: 2, sizeOf: ({ payload }) => payload.length });
    this.#reads = new Batcher((ids) => this.#noted(store.find(ids)), { overlap: 2 });
    this.#ownReads = new Batcher((jobs) => this.#noted(store.find(jobs.map(idOf), jobs.map(ownerOf))), { overlap: 2 });
    this.followed = new FollowedJobs(
      store,
      (id) => this.#reads.push(id),
      (job) => this.#note(job),
    );
  }

  /** @see JobManager.submit */
  submit(job: JobDefinition | string, payload: unknown, options: SubmitOptions): Promise<Accepted> {
    const submission: JobSubmission = {
      store: this.store,
      name: typeof job === 'string' ? job : job.name,
      snapshot: options.snapshot,
      trace: options.trace,
    };
    return SUBMIT_MIDDLEWARE.run(submission, async () => {
      const { names, read } = this.options.context;
      const context = options.context ?? (read && carriedValues(names, read));
      const inserted = newJob(this.policies.of(job), payload, options, { trace: submission.trace, context });
      if (options.within !== undefined) {
        const { queueLimits } = this.policies;
        return this.#accepted(await submitWithin(this.store, options.within, inserted, queueLimits), false);
      }
      return this.#accepted(await this.#submissions.push(inserted));
    });
  }

  /**
   * @param id null for one that is not a UUID, which no job has
   * @param of the owner that the job must have; absent: any owner
   */
  find(id: string | null, of?: { owner: string | null }): Promise<JobRecord | null> {
    if (id === null) return Promise.resolve(null);
    return of ? this.#findOwned(id, of.owner) : this.#reads.push(id);
  }

  /** @see JobManager.cancel */
  cancel(id: string): Promise<JobRecord> {
    return changeOne(this.store, 'cancel', id);
  }

  async #findOwned(id: string, owner: string | null): Promise<JobRecord | null> {
    const record = await this.#ownReads.push({ id, owner });
    // A store of the application may ignore owners.
    return record?.owner === owner ? record : null;
  }

  async #noted(reading: Promise<(JobRecord | null)[]>): Promise<(JobRecord | null)[]> {
    const jobs = await reading;
    for (const job of jobs) if (job) this.#note(job);
    return jobs;
  }

  #note(job: JobRecord): void {
    if (job.status === 'Completed') this.completed.next(job);
  }

  /** @param isCommitted false when the caller may still roll back: then no event is published */
  #accepted(submission: Submission, isCommitted = true): Accepted {
    if (submission.outcome === 'refused') throw new AsyncEndpointsError('QUEUE_FULL');
    if (submission.outcome === 'conflict')
      throw new AsyncEndpointsError(submission.on === 'id' ? 'REQUEST_ID_CONFLICT' : 'IDEMPOTENCY_KEY_REUSED');
    const { outcome, job } = submission;
    if (outcome === 'existing') this.#note(job);
    else if (isCommitted) publish('submit', { job, store: this.store });
    return { id: job.id, job, replayed: outcome === 'existing' };
  }
}

const idOf = ({ id }: OwnedId): string => id;
const ownerOf = ({ owner }: OwnedId): string | null => owner;
