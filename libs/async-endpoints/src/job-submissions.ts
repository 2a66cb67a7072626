import { carriedValues } from './job/carried-values.js';
import type { JobDefinition } from './job/define-job.js';
import { AsyncEndpointsError } from './job/errors.js';
import { decodeJob } from './job/decode-job.js';
import type { JobRecord, NewJob, SubmittedJob, TraceContext } from './job/job.js';
import type { JobPolicies } from './job-policies.js';
import { newJob, type SubmitOptions } from './new-job.js';
import { announce, type JobSubmission, publish } from './observability/channels.js';
import type { ResolvedOptions } from './options.js';
import { Batcher } from './store/batcher.js';
import type { JobStore, Submission } from './store/job-store.js';

/** Brings jobs into the store: those that come while others are on their way there go together. */
export class JobSubmissions {
  readonly #batches: Batcher<NewJob, Submission>;

  constructor(
    private readonly store: JobStore,
    private readonly policies: JobPolicies,
    private readonly options: ResolvedOptions,
  ) {
    const { maximumQueueSize: queueLimit, maximumQueueBytes: queueBytes } = options.jobs;
    const limits = { queueLimit, queueBytes };
    this.#batches = new Batcher((jobs) => store.submit(jobs, limits), {
      overlap: 2,
      sizeOf: ({ input }) => input.length,
    });
  }

  /** @see JobManager.submit */
  submit<TResult>(
    job: JobDefinition | string,
    request: unknown,
    options: SubmitOptions,
  ): Promise<SubmittedJob<TResult>> {
    const announced: JobSubmission & { work: () => Promise<SubmittedJob<TResult>> } = {
      name: typeof job === 'string' ? job : job.name,
      snapshot: options.snapshot,
      trace: options.trace,
      store: this.store,
      work: () => this.#insert(job, request, options, announced.trace),
    };
    return announce('submit', announced);
  }

  async #insert<TResult>(
    job: JobDefinition | string,
    request: unknown,
    options: SubmitOptions,
    trace: TraceContext | undefined,
  ): Promise<SubmittedJob<TResult>> {
    const submission = await this.#batches.push(
      newJob(this.policies.of(job), request, this.#withContext(options), trace),
    );
    switch (submission.outcome) {
      case 'refused':
        throw new AsyncEndpointsError('QUEUE_FULL');
      case 'conflict':
        throw new AsyncEndpointsError(submission.on === 'id' ? 'REQUEST_ID_CONFLICT' : 'IDEMPOTENCY_KEY_REUSED');
      case 'existing':
        return submittedJob(submission.job, true);
      case 'created':
        publish('submit', { job: submission.job, store: this.store });
        return submittedJob(submission.job, false);
    }
  }
  #withContext(options: SubmitOptions): SubmitOptions {
    const { names, read } = this.options.context;
    if (!read || options.context) return options;
    return { ...options, context: carriedValues(names, read) };
  }
}

function submittedJob<TResult>(record: JobRecord, replayed: boolean): SubmittedJob<TResult> {
  return Object.assign(decodeJob<TResult>(record), { replayed });
}
