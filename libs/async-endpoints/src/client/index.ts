export {
  defineJob,
  type JobDefinition,
  type JobOptions,
  type JobPayload,
  type SubmittedPayload,
  type JobResult,
  type PayloadClass,
} from '../job/define-job.js';
export { AsyncEndpointsClient, type RemoteSubmitOptions as SubmitOptions } from './client.js';
export {
  AsyncEndpointsProblem,
  InvalidOptionError,
  JobCanceledError,
  JobFailedError,
  JobWaitTimeoutError,
  NoAnswerError,
  type ProblemDetails,
} from './errors.js';
export type { AnyJob, JobState, StateOf } from './job-state.js';
export type { ClientOptions, Fetch, HeaderValues, RetryOptions, Route, SubmissionMethod } from './options.js';
export type { CallOptions, RemoteJob, RemoteWaitOptions as WaitOptions } from './remote-job.js';
