export { AsyncEndpointsModule } from './async-endpoints.module.js';
export { AsyncHandler, type HandlerOptions, type HandlerReturn, type JobHandler } from './handlers/async-handler.js';
export { JobContext } from './handlers/job-context.js';
export { AsyncEndpoint, type AsyncEndpointOptions, type AsyncEndpointReturn } from './http/endpoint/async-endpoint.js';
export { JobLinks } from './http/reply/job-links.js';
export type { ResultType } from './http/openapi/schemas.js';
export type { Problem } from './http/reply/problem.js';
export { represent } from './http/reply/represent.js';
export {
  defineJob,
  type JobDefinition,
  type JobOptions,
  type JobPayload,
  type SubmittedPayload,
  type JobResult,
  type PayloadClass,
} from './job/define-job.js';
export {
  AsyncEndpointsError,
  ERROR_CODES,
  type ErrorCode,
  type JobErrorOptions,
  PermanentJobError,
  RetryJobError,
} from './job/errors.js';
export {
  type CarriedValues,
  type Claim,
  isTerminal,
  type Job,
  JOB_STATUSES,
  type FailedAttempt,
  type JobError,
  type StoredPayload,
  type JobProgress,
  type JobRecord,
  type JobStatus,
  type NewJob,
  type RequestSnapshot,
  type RequestValue,
  type Retention,
  type SubmittedJob,
  type TerminalStatus,
  type TraceContext,
} from './job/job.js';
export type { AttemptRepresentation, JobRepresentation, Links } from './job/job-representation.js';
export { LIFECYCLE, type Settlement, type Verb, type Outcome } from './job/lifecycle.js';
export type { Serialized } from './job/serialized.js';
export { RequestValues } from './job/request-values.js';
export type { RetryCurve, RetryPolicy } from './job/retry.js';
export { JobManager } from './jobs/job-manager.js';
export type { WaitOptions } from './jobs/follow.js';
export type { SubmitOptions } from './jobs/submit.js';
export { JOB_CHANNELS, type JobEvent, type JobEventName, STORE_NOTICE, type StoreNotice } from './events/channels.js';
export {
  type JobRun,
  type JobSubmission,
  type Middleware,
  RUN_MIDDLEWARE,
  type RunEnd,
  SUBMIT_MIDDLEWARE,
} from './events/middleware.js';
export { currentJob, followJobs } from './events/job-scope.js';
export type {
  AsyncEndpointsExtras,
  AsyncEndpointsOptions,
  ContextOptions,
  Given,
  HttpOptions,
  HttpRequest,
  JobsOptions,
  RecoveryOptions,
  Reply,
  ResolvedOptions,
  ResponseContext,
  ResponseOptions,
  Role,
  StatusRoutesOptions,
  WorkerOptions,
} from './options/options.js';
export {
  type ClaimRequest,
  type JobChange,
  type JobFilter,
  type JobPage,
  JobStore,
  type OperatorAction,
  type LiveWorker,
  type PausedQueue,
  type QueueStats,
  type Recovered,
  type StoreMemory,
  type RecoverOptions,
  type Renewal,
  type RenewalReply,
  type Submission,
  type SweepRhythm,
  type Topic,
  type WorkerInfo,
} from './store/job-store.js';
export { MemoryJobStore, type MemoryJobStoreOptions } from './stores/memory/memory-job-store.js';
export { JobWorker } from './worker/job-worker.js';
