import { randomUUID } from 'node:crypto';
import { JobContext } from '../handlers/job-context.js';
import type { JobDefinition } from '../job/define-job.js';
import type { CarriedValues, JobProgress, JobRecord, RequestValue } from '../job/job.js';

/** What a handler should find in its context; each has a sensible default. */
export interface JobContextParts {
  id?: string;
  /** Default 1. */
  attempt?: number;
  /** Default: the retries of the job's definition, or else 3, and one. */
  maxAttempts?: number;
  /** Default 1. */
  fence?: number;
  /** Default null. */
  owner?: string | null;
  headers?: Readonly<Record<string, string>>;
  routeParams?: Readonly<Record<string, string>>;
  queryParams?: Readonly<Record<string, string>>;
  /** What `context.names` would have carried. */
  values?: CarriedValues;
  /** Default: a signal that `abort` fires. */
  signal?: AbortSignal;
  /** Default: in 30 minutes. */
  deadline?: Date;
}

/** A context whose test sees what the handler reports, and may abort the run. */
export class TestJobContext extends JobContext {
  /** What the handler gave to `progress`, in order. */
  readonly reports: readonly JobProgress[];
  readonly #abort: (reason: unknown) => void;

  constructor(job: JobDefinition | string, parts: JobContextParts) {
    const reports: JobProgress[] = [];
    const controller = new AbortController();
    const { fence = 1, signal = controller.signal, deadline = new Date(Date.now() + 1_800_000) } = parts;
    const claim = { job: recordOf(job, parts), payload: '{}', fence };
    const report = async (progress: JobProgress): Promise<void> => void reports.push(progress);
    const snapshot = {
      headers: pairs(parts.headers),
      routeParams: pairs(parts.routeParams),
      queryParams: pairs(parts.queryParams),
    };
    super({ claim, deadline, signal, report }, { snapshot, context: parts.values });
    this.reports = reports;
    this.#abort = (reason) => controller.abort(reason);
  }

  /** Fires the signal. Default reason: an `AbortError`. */
  abort(reason?: unknown): void {
    this.#abort(reason);
  }
}

/**
 * A context to call a handler with in a unit test.
 *
 * @example
 * await new ReportHandler(pages).handle({ title: 'Bees' }, aJobContext(Report, { attempt: 2 }));
 */
export function aJobContext(job: JobDefinition | string, parts: JobContextParts = {}): TestJobContext {
  return new TestJobContext(job, parts);
}

function recordOf(job: JobDefinition | string, parts: JobContextParts): JobRecord {
  const { name, options } = typeof job === 'string' ? { name: job, options: {} } : job;
  const { id = randomUUID(), attempt = 1, maxAttempts = (options.maxRetries ?? 3) + 1, owner = null } = parts;
  return { id, name, owner, retryCount: attempt - 1, maxRetries: maxAttempts - 1 } as JobRecord;
}

function pairs(values: Readonly<Record<string, string>> = {}): RequestValue[] {
  return Object.entries(values);
}
