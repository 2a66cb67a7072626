import type { JobDefinition, JobResult } from '../job/define-job.js';
import type { JobRepresentation as JobState } from '../job/job-representation.js';

export type { JobState };

/** Any job definition. The client uses its name and types, not its options. */
export type AnyJob = JobDefinition;

/** The state of a job of this definition. */
export type StateOf<TJob> = JobState<JobResult<TJob>>;

export function hasEnded({ status }: JobState): boolean {
  return status === 'Completed' || status === 'Failed' || status === 'Canceled';
}

/** Whether the value is a representation of a job, as far as the client needs. An application may replace responses. */
export function isJobState(value: unknown): value is JobState {
  const { id, name, status } = (value ?? {}) as Partial<JobState>;
  return typeof id === 'string' && typeof name === 'string' && typeof status === 'string';
}
