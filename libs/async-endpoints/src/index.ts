export { AsyncEndpointsModule } from './async-endpoints.module.js';
export { AsyncHandler, type HandlerOptions, type HandlerReturn, type JobHandler } from './handlers/async-handler.js';
export { JobContext } from './handlers/job-context.js';
export { AsyncEndpoint, type AsyncEndpointOptions, type AsyncEndpointReturn } from './http/async-endpoint.js';
export { JobLinks } from './http/job-links.js';
export type { ResultType } from './http/openapi/result-type.js';
export type { Problem } from './http/problem.js';
export { represent } from './http/represent.js';
export {
  defineJob,
  type JobDefinition,
  type JobOptions,
  type JobPayload,
  type JobRequest,
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
  type JobError,
  type JobInput,
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
export type { JobRepresentation, Links } from './job/job-representation.js';
export { LIFECYCLE, type Settlement, type Verb, type Verdict } from './job/lifecycle.js';
export type { Serialized } from './job/serialized.js';
export { RequestValues } from './job/request-values.js';
export type { RetryCurve, RetryPolicy } from './job/retry.js';
export { JobManager } from './job-manager.js';
export type { WaitOptions } from './job-watches.js';
export type { SubmitOptions } from './new-job.js';
export {
  JOB_CHANNELS,
  type JobEvent,
  type JobEventName,
  type JobRun,
  type JobSubmission,
  type RunOutcome,
  STORE_NOTICE,
  type StoreNotice,
  WORK_CHANNELS,
} from './observability/channels.js';
export { currentJob, followJobs } from './observability/job-scope.js';
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
} from './options.js';
export {
  type ClaimRequest,
  type JobChange,
  type JobFilter,
  type JobPage,
  JobStore,
  type OperatorAction,
  type QueueStats,
  type Recovered,
  type StoreMemory,
  type RecoverOptions,
  type Renewal,
  type RenewalReply,
  type Submission,
  type SweepRhythm,
  type Topic,
} from './store/job-store.js';
export { MemoryJobStore, type MemoryJobStoreOptions } from './store/memory/memory-job-store.js';
export { JobWorker } from './worker/job-worker.js';
