import type { Attributes, Meter } from '@opentelemetry/api';
import { toJobError } from '../job/errors.js';
import type { JobRecord } from '../job/job.js';
import { WORKER_CRASHED } from '../job/lifecycle.js';
import type { JobEvent, JobEventName, JobRun, JobSubmission } from '../observability/channels.js';
import type { JobStore } from '../store/job-store.js';
import { ATTRIBUTES } from './catalogue.js';
import { Instruments } from './instruments.js';
import { Subscriptions } from './subscriptions.js';

/** Counts and times what happens to the jobs of one store in this process, as the core publishes it. */
export class JobMetrics {
  readonly #instruments: Instruments;
  readonly #subscriptions: Subscriptions;
  /** How long an attempt took, in seconds, until its settlement has said what became of the job. */
  readonly #runs = new WeakMap<JobRecord, number>();

  /** Names whose rare counters stand at 0: one that began at 1 would have no increase, and no alert. */
  readonly #names = new Set<string>();

  constructor(meter: Meter, store: JobStore) {
    this.#instruments = new Instruments(meter);
    this.#subscriptions = new Subscriptions(store, {
      events: this.#events(),
      submit: (submission) => this.#submitting(submission),
      run: (run) => this.#running(run),
    });
  }

  open(): void {
    this.#subscriptions.open();
  }

  close(): void {
    this.#subscriptions.close();
  }

  #events(): Partial<Record<JobEventName, (event: JobEvent) => void>> {
    const { count, record } = this.#instruments;
    return {
      submit: ({ job }) => count('asyncendpoints.jobs.submitted', of(job)),
      claim: ({ job }) => {
        this.#begin(job);
        count('asyncendpoints.jobs.claimed', of(job));
        record('asyncendpoints.job.wait.duration', secondsBetween(job.dueAt, job.startedAt), of(job));
      },
      complete: ({ job }) => {
        count('asyncendpoints.jobs.completed', of(job));
        this.#ended(job, 'Completed');
      },
      fail: ({ job, cause }) => {
        count('asyncendpoints.jobs.failed', of(job, toJobError(cause).code));
        this.#ended(job, 'Failed');
      },
      retry: ({ job, cause }) => count('asyncendpoints.jobs.retried', of(job, toJobError(cause).code)),
      release: ({ job }) => count('asyncendpoints.jobs.released', of(job)),
      cancel: ({ job }) => {
        count('asyncendpoints.jobs.canceled', of(job));
        this.#total(job, secondsBetween(job.createdAt, job.completedAt), 'Canceled');
      },
      recover: ({ job }) => {
        count('asyncendpoints.jobs.recovered', { [ATTRIBUTES.name]: job.name, [ATTRIBUTES.status]: job.status });
        if (job.status !== 'Failed') return;
        count('asyncendpoints.jobs.failed', of(job, WORKER_CRASHED.code));
        this.#total(job, secondsBetween(job.createdAt, job.completedAt), 'Failed');
      },
      rerun: ({ job }) => count('asyncendpoints.jobs.rerun', of(job)),
      lose: ({ job }) => count('asyncendpoints.claims.lost', of(job)),
    };
  }

  #submitting(submission: JobSubmission): void {
    const { name, work } = submission;
    this.#begin(submission);
    submission.work = async () => {
      try {
        return await work();
      } catch (error) {
        this.#instruments.count('asyncendpoints.jobs.refused', of({ name }, toJobError(error).code));
        throw error;
      }
    };
  }

  #running(run: JobRun): void {
    const { work } = run;
    const { job } = run.claim;
    run.work = async () => {
      const startedAt = performance.now();
      const outcome = await work();
      const seconds = (performance.now() - startedAt) / 1_000;
      this.#runs.set(job, seconds);
      const verdict = outcome.verdict?.verb ?? (toJobError(outcome.cause).code === 'JOB_CANCELED' ? 'cancel' : 'lose');
      this.#instruments.record('asyncendpoints.job.run.duration', seconds, {
        [ATTRIBUTES.name]: job.name,
        [ATTRIBUTES.verdict]: verdict,
      });
      return outcome;
    };
  }

  #begin({ name }: { name: string }): void {
    if (this.#names.has(name)) return;
    this.#names.add(name);
    const { count } = this.#instruments;
    count('asyncendpoints.jobs.refused', of({ name }, 'QUEUE_FULL'), 0);
    count('asyncendpoints.jobs.recovered', { [ATTRIBUTES.name]: name, [ATTRIBUTES.status]: 'Queued' }, 0);
    count('asyncendpoints.claims.lost', of({ name }), 0);
    count('asyncendpoints.jobs.completed', of({ name }), 0);
  }

  /** The record is that of the claim: until then by the store's clock, from then on by ours. */
  #ended(job: JobRecord, status: string): void {
    this.#total(job, secondsBetween(job.createdAt, job.startedAt) + (this.#runs.get(job) ?? 0), status);
  }

  #total(job: JobRecord, seconds: number, status: string): void {
    this.#instruments.record('asyncendpoints.job.total.duration', seconds, {
      [ATTRIBUTES.name]: job.name,
      [ATTRIBUTES.status]: status,
    });
  }
}

function of({ name }: Pick<JobRecord, 'name'>, error?: string): Attributes {
  return error === undefined ? { [ATTRIBUTES.name]: name } : { [ATTRIBUTES.name]: name, [ATTRIBUTES.error]: error };
}

function secondsBetween(from: number, to: number | null): number {
  return Math.max((to ?? from) - from, 0) / 1_000;
}
