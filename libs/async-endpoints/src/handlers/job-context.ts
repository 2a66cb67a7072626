import { checkNumber } from '../job/bounds.js';
import { Logger } from '@nestjs/common';
import type { CarriedValues, Claim, JobProgress, RequestSnapshot, StoredPayload } from '../job/job.js';
import { RequestValues } from '../job/request-values.js';

const NO_VALUES = new RequestValues();
const NOTHING_CARRIED: CarriedValues = Object.freeze({});

/** The interface of the worker for a run. */
export interface RunControl {
  readonly claim: Claim;
  readonly deadline: Date;
  readonly signal: AbortSignal;
  report(progress: JobProgress): Promise<void>;
}

/**
 * The job that a handler runs, and its signal, progress and log. A request-scoped handler and its dependencies get the same object through
 * `@Inject(REQUEST)`.
 */
export class JobContext {
  readonly id: string;
  readonly name: string;
  /** The number of the attempt, from 1. An attempt that a crash or a shutdown interrupted does not count. */
  readonly attempt: number;
  readonly maxAttempts: number;
  /**
   * Grows with every claim of this job. Pass it to systems that the handler writes to, and let them refuse smaller fences. A run
   * that has lost its claim then cannot overwrite the work of the next run.
   */
  readonly fence: number;
  /** The owner of the job, or `null`. */
  readonly owner: string | null;
  /** For a recurring job: its schedule and its instant, which is in the past when the job is late. `null` for other jobs. */
  readonly schedule: { readonly name: string; readonly at: Date } | null;
  readonly routeParams: RequestValues;
  readonly queryParams: RequestValues;
  /** The values that `context.names` carried from the submitting code, by name. */
  readonly values: CarriedValues;
  readonly #control: RunControl;
  readonly #snapshot: RequestSnapshot | undefined;
  #headers: RequestValues | undefined;
  #logger: Logger | undefined;

  constructor(control: RunControl, { snapshot, context, schedule }: StoredPayload = {}) {
    const { job, fence } = control.claim;
    this.#control = control;
    this.#snapshot = snapshot;
    this.id = job.id;
    this.name = job.name;
    this.attempt = job.retryCount + 1;
    this.maxAttempts = job.maxRetries + 1;
    this.fence = fence;
    this.owner = job.owner;
    this.schedule = schedule ? { name: schedule.name, at: new Date(schedule.at) } : null;
    this.routeParams = snapshot ? new RequestValues(snapshot.routeParams) : NO_VALUES;
    this.queryParams = snapshot ? new RequestValues(snapshot.queryParams) : NO_VALUES;
    this.values = context ?? NOTHING_CARRIED;
  }

  /**
   * The captured headers of the submitting request; empty when code submitted the job. A `ContextIdStrategy` can read them as in
   * a request: `request.headers['x-tenant-id']`.
   */
  get headers(): RequestValues {
    if (!this.#snapshot) return NO_VALUES;
    return (this.#headers ??= RequestValues.byName(this.#snapshot.headers));
  }

  /** When this attempt times out. */
  get deadline(): Date {
    return this.#control.deadline;
  }

  /**
   * Aborted when the run should end: on timeout, cancellation, shutdown, or when the claim was lost. Its `reason` is an
   * `AsyncEndpointsError` whose code says which (`JOB_TIMEOUT`, `JOB_CANCELED`, `SHUTTING_DOWN`, `CLAIM_LOST`).
   */
  get signal(): AbortSignal {
    return this.#control.signal;
  }

  /** Adds the job's name and id to every line. */
  get logger(): Logger {
    return (this.#logger ??= new Logger(`${this.name} ${this.id}`));
  }

  /**
   * Reports progress to clients. Resolves when the report is stored, when the claim is lost or when the store is unreachable. It
   * never rejects, so you need not await it. Reports that come faster than the store accepts them are merged.
   *
   * @param fraction from 0 to 1
   * @throws AsyncEndpointsError `INVALID_OPTION` when `fraction` is not such a number
   */
  progress(fraction: number, message: string | null = null): Promise<void> {
    checkNumber('progress', fraction, 0, 1);
    return this.#control.report({
      fraction,
      message: message?.toString().slice(0, 1_000) ?? null,
    });
  }
}
