import type { JobDefinition, JobResult } from '../job/define-job.js';
import type { JobRepresentation as JobState } from '../job/job-representation.js';

export type { JobState };

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
