import { randomUUID } from 'node:crypto';
import { JobContext } from '../handlers/job-context.js';
import type { JobDefinition } from '../job/define-job.js';
import type { CarriedValues, JobProgress, JobRecord, RequestValue } from '../job/job.js';

/** The parts of a test context. Each has a default. */
export interface JobContextParts {
  id?: string;
  /** Default 1. */
  attempt?: number;
  /** Default: one more than the `maxRetries` of the job definition, or 4. */
  maxAttempts?: number;
  /** Default 1. */
  fence?: number;
  /** Default null. */
  owner?: string | null;
  headers?: Readonly<Record<string, string>>;
  routeParams?: Readonly<Record<string, string>>;
  queryParams?: Readonly<Record<string, string>>;
  /** The values that `context.names` would carry. */
  values?: CarriedValues;
  /** Default: a signal that `abort` fires. */
  signal?: AbortSignal;
  /** Default: in 30 minutes. */
  deadline?: Date;
}

/** A context that records the progress of the handler, and whose signal a test can abort. */
export class TestJobContext extends JobContext {
  /** The arguments of the `progress` calls, in order. */
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

  /** Aborts the signal. Default reason: an `AbortError`. */
  abort(reason?: unknown): void {
    this.#abort(reason);
  }
}

/**
 * Creates a context for calling a handler in a unit test.
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
