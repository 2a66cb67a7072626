import type { JobDefinition, JobResult } from '../job/define-job.js';
import type { JobError, JobProgress, JobStatus } from '../job/job.js';

/** What the server tells of a job: the contract's representation. Times are ISO 8601. */
export interface JobState<TResult = unknown> {
  /** A lower-case UUID. */
  readonly id: string;
  /** The name that the job was defined with. */
  readonly name: string;
  readonly status: JobStatus;
  /** Failed attempts that were followed by another. */
  readonly retryCount: number;
  readonly maxRetries: number;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
  readonly lastUpdatedAt: string;
  /** `null` before the handler has told any. */
  readonly progress: JobProgress | null;
  /** What the handler returned; `null` before that, and for a handler that returns nothing. */
  readonly result: TResult | null;
  /** Of the last attempt; cleared by a success. */
  readonly error: JobError | null;
  /** Path-absolute. */
  readonly links: { readonly self: string; readonly result: string; readonly events: string };
}

/** Any job definition: its name and its types matter here, its options do not. */
export type AnyJob = JobDefinition;

/** The state of a job of this definition. */
export type StateOf<TJob> = JobState<JobResult<TJob>>;

export function hasEnded({ status }: JobState): boolean {
  return status === 'Completed' || status === 'Failed' || status === 'Canceled';
}

/** Whether this is a representation, as far as the client relies on it; an application may answer something else. */
export function isJobState(value: unknown): value is JobState {
  const { id, name, status } = (value ?? {}) as Partial<JobState>;
  return typeof id === 'string' && typeof name === 'string' && typeof status === 'string';
}
