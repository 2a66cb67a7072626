import { Injectable, type ScopeOptions } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { JobDefinition, JobOptions, JobRequest, JobResult } from '../job/define-job.js';
import type { JobContext } from './job-context.js';

/** Does one kind of job. What it returns is the result, what it throws is a failed attempt. */
export interface JobHandler<TJob extends JobDefinition = JobDefinition> {
  handle(request: JobRequest<TJob>, context: JobContext): Promise<JobResult<TJob>> | JobResult<TJob>;
}

/** What the worker decides: these win over the definition. The rest is fixed when a job is submitted, in `defineJob`. */
export type HandlerOptions = ScopeOptions &
  Pick<
    JobOptions,
    | 'concurrency'
    | 'timeoutMs'
    | 'retryCurve'
    | 'retryDelayBaseSeconds'
    | 'maxRetryDelayMs'
    | 'retryJitter'
    | 'maximumResultBytes'
  >;

/** Finds handlers at boot. */
export const HandlerMarker = DiscoveryService.createDecorator<JobDefinition>();

/**
 * Marks a provider as the handler of a job: an ordinary provider, with constructor injection and any scope. A
 * request-scoped one is made anew for each run.
 *
 * @example
 * \@AsyncHandler(ProcessData)
 * export class ProcessDataHandler implements JobHandler<typeof ProcessData> { … }
 */
export function AsyncHandler<TRequest = never, TResult = unknown>(
  job: JobDefinition<TRequest, TResult> | string,
  options: HandlerOptions = {},
) {
  const { scope, durable, ...jobOptions } = options;
  const base: JobDefinition = typeof job === 'string' ? { name: job, options: {} } : job;
  const definition =
    Object.keys(jobOptions).length === 0 ? base : { ...base, options: { ...base.options, ...jobOptions } };
  return <THandler extends new (...args: never[]) => Handles<TRequest, TResult>>(target: THandler): void => {
    Injectable({ scope, durable })(target);
    HandlerMarker(definition)(target);
  };
}

/** As a property, not a method, so that the compiler compares the request types strictly. */
interface Handles<TRequest, TResult> {
  readonly handle: (request: TRequest, context: JobContext) => Promise<TResult> | TResult;
}
