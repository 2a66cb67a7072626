import type { Meter } from '@opentelemetry/api';
import {
  type JobRun,
  type JobSubmission,
  RUN_MIDDLEWARE,
  type RunEnd,
  SUBMIT_MIDDLEWARE,
} from '../events/middleware.js';
import { type Listeners, subscribe } from '../events/channels.js';
import { toJobError } from '../job/errors.js';
import type { JobRecord } from '../job/job.js';
import { WORKER_CRASHED } from '../job/attempts.js';
import type { JobStore, OperatorAction } from '../store/job-store.js';
import { of } from './catalogue.js';
import { type CounterName, Instruments } from './instruments.js';

const COUNTED_BY_NAME = [
  'asyncendpoints.jobs.submitted',
  'asyncendpoints.jobs.claimed',
  'asyncendpoints.jobs.completed',
  'asyncendpoints.jobs.released',
  'asyncendpoints.jobs.canceled',
  'asyncendpoints.jobs.rerun',
  'asyncendpoints.claims.lost',
] as const satisfies CounterName[];

/**
 * The codes of a plain `Error`, of a timeout and of a crash. A series for a code of the application begins with its first error.
 */
const FAILURE_CODES = ['ERROR', 'JOB_TIMEOUT', WORKER_CRASHED.code];

/** The codes with which many submissions can be refused at once, and which alerts count. */
const REFUSAL_CODES = ['QUEUE_FULL', 'STORE_FULL', 'STORE_READ_ONLY'];

/** Counts and measures the jobs of one store in this process, from the events of the core. */
export class JobMetrics {
  readonly #instruments: Instruments;
  #ends: (() => void)[] = [];
  /** The durations of attempts, in seconds, until their settlement decides the outcome. */
  readonly #runs = new WeakMap<JobRecord, number>();

  /** Names whose counters have started at 0, because `rate()` does not see an increase from no series to 1. */
  readonly #names = new Set<string>();

  constructor(
    meter: Meter,
    private readonly store: JobStore,
  ) {
    this.#instruments = new Instruments(meter);
  }

  open(): void {
    this.#ends = [
      subscribe(this.store, this.#listeners()),
      SUBMIT_MIDDLEWARE.add((submission, next) => this.#submit(submission, next), this.store),
      RUN_MIDDLEWARE.add((run, next) => this.#run(run, next), this.store),
    ];
    this.#instruments.count('asyncendpoints.jobs.purged', {}, 0);
  }

  close(): void {
    for (const end of this.#ends.splice(0)) end();
  }

  /** Counts an action of a tool, which ends before its own metrics could be read. */
  #counted({ verb, jobs }: OperatorAction): void {
    const { count } = this.#instruments;
    for (const { name, status, count: by } of jobs) {
      if (verb === 'purge') count('asyncendpoints.jobs.purged', {}, by);
      if (name === null) continue;
      this.begin(name);
      if (verb === 'cancel') count('asyncendpoints.jobs.canceled', of(name), by);
      if (verb === 'rerun') count('asyncendpoints.jobs.rerun', of(name), by);
      if (verb !== 'recover') continue;
      count('asyncendpoints.jobs.recovered', of(name, { status: status ?? 'Queued' }), by);
      if (status === 'Failed') count('asyncendpoints.jobs.failed', of(name, { error: WORKER_CRASHED.code }), by);
    }
  }

  #listeners(): Listeners {
    const { count, record } = this.#instruments;
    return {
      submit: ({ job }) => count('asyncendpoints.jobs.submitted', of(job.name)),
      claim: ({ job }) => {
        this.begin(job.name);
        count('asyncendpoints.jobs.claimed', of(job.name));
        record('asyncendpoints.job.wait.duration', secondsBetween(job.scheduledAt, job.startedAt), of(job.name));
      },
      complete: ({ job }) => {
        count('asyncendpoints.jobs.completed', of(job.name));
        this.#ended(job, 'Completed');
      },
      fail: ({ job, cause }) => {
        count('asyncendpoints.jobs.failed', of(job.name, { error: toJobError(cause).code }));
        this.#ended(job, 'Failed');
      },
      retry: ({ job, cause }) => count('asyncendpoints.jobs.retried', of(job.name, { error: toJobError(cause).code })),
      release: ({ job }) => count('asyncendpoints.jobs.released', of(job.name)),
      cancel: ({ job }) => {
        count('asyncendpoints.jobs.canceled', of(job.name));
        this.#total(job, secondsBetween(job.createdAt, job.completedAt), 'Canceled');
      },
      recover: ({ job }) => {
        count('asyncendpoints.jobs.recovered', of(job.name, { status: job.status }));
        if (job.status !== 'Failed') return;
        count('asyncendpoints.jobs.failed', of(job.name, { error: WORKER_CRASHED.code }));
        this.#total(job, secondsBetween(job.createdAt, job.completedAt), 'Failed');
      },
      rerun: ({ job }) => count('asyncendpoints.jobs.rerun', of(job.name)),
      lose: ({ job }) => count('asyncendpoints.claims.lost', of(job.name)),
      purged: ({ ids }) => count('asyncendpoints.jobs.purged', {}, ids.length),
      action: ({ action }) => this.#counted(action),
      instants: ({ job: name, outcome, count: by }) =>
        count('asyncendpoints.schedule.instants', of(name, { outcome }), by),
    };
  }

  async #submit<T>({ name }: JobSubmission, next: () => Promise<T>): Promise<T> {
    this.begin(name);
    try {
      return await next();
    } catch (error) {
      this.#instruments.count('asyncendpoints.jobs.refused', of(name, { error: toJobError(error).code }));
      throw error;
    }
  }

  async #run({ claim: { job } }: JobRun, next: () => Promise<RunEnd>): Promise<RunEnd> {
    const startedAt = performance.now();
    const end = await next();
    const seconds = (performance.now() - startedAt) / 1_000;
    this.#runs.set(job, seconds);
    const outcome = end.outcome?.verb ?? (toJobError(end.cause).code === 'JOB_CANCELED' ? 'cancel' : 'lose');
    this.#instruments.record('asyncendpoints.job.run.duration', seconds, of(job.name, { outcome }));
    return end;
  }

  /** Starts every counter of a name at 0, with the error codes that the library itself uses. */
  begin(name: string): void {
    if (this.#names.has(name)) return;
    this.#names.add(name);
    const { count } = this.#instruments;
    for (const counter of COUNTED_BY_NAME) count(counter, of(name), 0);
    for (const code of FAILURE_CODES) {
      count('asyncendpoints.jobs.failed', of(name, { error: code }), 0);
      count('asyncendpoints.jobs.retried', of(name, { error: code }), 0);
    }
    for (const outcome of ['fired', 'skipped', 'missed'])
      count('asyncendpoints.schedule.instants', of(name, { outcome }), 0);
    for (const code of REFUSAL_CODES) count('asyncendpoints.jobs.refused', of(name, { error: code }), 0);
    for (const status of ['Queued', 'Failed']) {
      count('asyncendpoints.jobs.recovered', of(name, { status }), 0);
    }
  }

  /** Measures until the claim by the store's clock, and after it by the clock of this process. */
  #ended(job: JobRecord, status: string): void {
    this.#total(job, secondsBetween(job.createdAt, job.startedAt) + (this.#runs.get(job) ?? 0), status);
  }

  #total(job: JobRecord, seconds: number, status: string): void {
    this.#instruments.record('asyncendpoints.job.total.duration', seconds, of(job.name, { status }));
  }
}

function secondsBetween(from: number, to: number | null): number {
  return Math.max((to ?? from) - from, 0) / 1_000;
}
