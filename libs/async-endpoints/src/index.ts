/* `nestjs-async-endpoints`: the API for applications. Authors of stores use `nestjs-async-endpoints/store`. */

// The module and its options. The types of the option groups are for applications that build their options in several places.
export { AsyncEndpointsModule } from './async-endpoints.module.js';
export type {
  AsyncEndpointsExtras,
  AsyncEndpointsOptions,
  ContextOptions,
  HttpOptions,
  JobsOptions,
  RecoveryOptions,
  ResponseOptions,
  Role,
  StatusRoutesOptions,
  WorkerOptions,
} from './options/options.js';
export type { Retention } from './job/job.js';
export type { RetryCurve } from './job/retry.js';

// Job definitions and their types. Code that is generic over jobs names the types.
export {
  defineJob,
  type JobDefinition,
  type JobOptions,
  type JobPayload,
  type JobResult,
  type PayloadClass,
  type SubmittedPayload,
} from './job/define-job.js';
export type { Serialized } from './job/serialized.js';

// Endpoints: their decorators, and the types of what a method takes and returns.
export { AsyncEndpoint, type AsyncEndpointOptions, type AsyncEndpointReturn } from './http/endpoint/async-endpoint.js';
export { type EndpointSubmitOptions, type Submit, SubmitJob } from './http/endpoint/submit-job.js';
export type { ResultType } from './http/openapi/schemas.js';

// Handlers, their arguments, and the errors that they throw to control retries.
export { AsyncHandler, type HandlerOptions, type HandlerReturn, type JobHandler } from './handlers/async-handler.js';
export { JobContext } from './handlers/job-context.js';
export { RequestValues } from './job/request-values.js';
export type { CarriedValues, RequestSnapshot, RequestValue } from './job/job.js';
export { type JobErrorOptions, PermanentJobError, RetryJobError } from './job/errors.js';

// Jobs from code: JobManager, its arguments and return values.
export { JobManager } from './jobs/job-manager.js';
export type { WaitOptions } from './jobs/follow.js';
export type { SubmitOptions } from './jobs/new-job.js';
export {
  type FailedAttempt,
  isTerminal,
  type Job,
  JOB_STATUSES,
  type JobError,
  type JobProgress,
  type JobStatus,
  type SubmittedJob,
} from './job/job.js';
export type { JobFilter, JobPage, LiveWorker, PausedQueue, QueueStats } from './store/job-store.js';

// Recurring jobs: schedules declared by handlers, and those of `JobManager.schedules`.
export { Recurring, type RecurringOptions } from './schedules/recurring.js';
export type { Timing } from './schedules/timing.js';
export type { Schedule, ScheduleInput, SchedulePage } from './schedules/schedule.js';
export type { JobSchedules } from './jobs/job-schedules.js';

// Errors. Every error of the library has a code of this catalogue.
export { AsyncEndpointsError, ERROR_CODES, type ErrorCode } from './job/errors.js';

// Responses: for the hooks of `response`, and for code that links to a job or reads what clients get.
export { JobLinks } from './http/reply/job-links.js';
export type { Problem } from './http/reply/problem.js';
export type { AttemptRepresentation, JobRepresentation, Links } from './job/job-representation.js';
export type { HttpRequest, Reply, ResponseContext } from './options/options.js';

// The default store, the token by which any store is injected, and the worker, for `worker.autoStart: false`.
export { MemoryJobStore, type MemoryJobStoreOptions } from './stores/memory/memory-job-store.js';
export { JobStore } from './store/job-store.js';
export { JobWorker } from './worker/job-worker.js';

// Observation: events on node:diagnostics_channel, middleware around submissions and runs, and the job of the current run.
export {
  JOB_CHANNELS,
  type JobEvent,
  SCHEDULE_INSTANTS,
  type ScheduleInstants,
  STORE_NOTICE,
  type StoreNotice,
} from './events/channels.js';
export type { JobRecord } from './job/job.js';
export {
  type JobRun,
  type JobSubmission,
  type Middleware,
  RUN_MIDDLEWARE,
  type RunEnd,
  SUBMIT_MIDDLEWARE,
} from './events/middleware.js';
export { currentJob, followJobs } from './events/job-scope.js';
