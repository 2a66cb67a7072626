import { Injectable, type ScopeOptions, SetMetadata } from '@nestjs/common';
import type { Observable } from 'rxjs';
import type { JobDefinition, JobOptions, JobPayload, JobReturn } from '../job/define-job.js';
import type { JobContext } from './job-context.js';

/** The return type of a handler: the result, a promise of it, or an Observable whose last value is the result. */
export type HandlerReturn<TResult> = TResult | Promise<TResult> | Observable<TResult>;

/** Runs the jobs of one name. The return value is the job's result. An exception is a failed attempt. */
export interface JobHandler<TJob extends JobDefinition = JobDefinition> {
  handle(payload: JobPayload<TJob>, context: JobContext): HandlerReturn<JobReturn<TJob>>;
}

/** Options that the worker decides. They override the definition. All other options are fixed at the submission, by `defineJob`. */
export type HandlerOptions = ScopeOptions &
  Pick<
    JobOptions,
    | 'concurrency'
    | 'timeoutMs'
    | 'retryCurve'
    | 'retryDelayBaseMs'
    | 'maxRetryDelayMs'
    | 'retryJitter'
    | 'maxResultBytes'
  >;

/** On the class: the {@link JobDefinition} that it handles. */
const HANDLER_METADATA = 'nestjs-async-endpoints:handler';

/** The job that instances of this class handle; inherited by subclasses. */
export function handledBy(type: unknown): JobDefinition | undefined {
  return typeof type === 'function' ? (Reflect.getMetadata(HANDLER_METADATA, type) as JobDefinition) : undefined;
}

/**
 * Marks a provider as the handler of a job. It is an ordinary provider, with constructor injection and any scope. A
 * request-scoped handler is created for each run.
 *
 * @example
 * \@AsyncHandler(ProcessData)
 * export class ProcessDataHandler implements JobHandler<typeof ProcessData> { … }
 */
export function AsyncHandler<TPayload = never, TResult = unknown>(
  job: JobDefinition<unknown, TResult, TPayload> | string,
  options: HandlerOptions = {},
) {
  const { scope, durable, ...jobOptions } = options;
  const base: JobDefinition = typeof job === 'string' ? { name: job, options: {} } : job;
  const definition =
    Object.keys(jobOptions).length === 0 ? base : { ...base, options: { ...base.options, ...jobOptions } };
  return <THandler extends new (...args: never[]) => Handles<TPayload, TResult>>(target: THandler): void => {
    Injectable({ scope, durable })(target);
    SetMetadata(HANDLER_METADATA, definition)(target);
  };
}

/** A property instead of a method, so that the compiler compares the payload types strictly. */
interface Handles<TPayload, TResult> {
  readonly handle: (request: TPayload, context: JobContext) => HandlerReturn<TResult>;
}
