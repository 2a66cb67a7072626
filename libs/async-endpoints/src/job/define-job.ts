import type { Retention } from './job.js';
import type { RetryCurve } from './retry.js';

/** What one kind of job does differently from the `jobs` options of the module. */
export interface JobOptions {
  /** Retries after the first attempt, 0 to 1000. Written into the job when it is submitted. */
  maxRetries?: number;
  /** Read by the worker when an attempt fails. */
  retryCurve?: RetryCurve;
  /** The base of the curve in seconds. */
  retryDelayBaseSeconds?: number;
  /** The longest delay between attempts, in milliseconds. */
  maxRetryDelayMs?: number;
  /** The random part of each delay, 0 to 1. */
  retryJitter?: number;
  /** How long one attempt may run, in milliseconds; then its signal is aborted and it counts as failed. */
  timeoutMs?: number;
  /** −100 to 100; larger runs first among the jobs of this name. Default 0. */
  priority?: number;
  /** How long finished jobs are kept, in milliseconds. */
  retention?: Partial<Retention>;
  /** The most jobs of this name that one worker runs at once. Default: the worker's own limit. */
  concurrency?: number;
  /** The most jobs of this name that may wait, over all instances; more are refused. Default: no limit of its own. */
  maximumQueueSize?: number;
  /** The largest request in bytes of JSON. */
  maximumPayloadBytes?: number;
  /** The largest result in bytes of JSON. */
  maximumResultBytes?: number;
}

declare const types: unique symbol;

/** A job's name, its options and, for the compiler only, the types of its request and result. */
export interface JobDefinition<TRequest = unknown, TResult = unknown> {
  readonly name: string;
  readonly options: Readonly<JobOptions>;
  readonly [types]?: { request: TRequest; result: TResult };
}

/** The request type of a definition: `JobRequest<typeof ProcessData>`. */
export type JobRequest<TJob> = TJob extends { readonly [types]?: { request: infer TRequest } } ? TRequest : never;

/** The result type of a definition: `JobResult<typeof ProcessData>`. */
export type JobResult<TJob> = TJob extends { readonly [types]?: { result: infer TResult } } ? TResult : never;

/**
 * Names a kind of job once, for the endpoints that submit it, the handler that does it and the clients that follow it.
 *
 * @example
 * export const ProcessData = defineJob<DataRequest, ProcessResult>('ProcessData', { maxRetries: 5, timeoutMs: 60_000 });
 */
export function defineJob<TRequest = void, TResult = void>(
  name: string,
  options: JobOptions = {},
): JobDefinition<TRequest, TResult> {
  return Object.freeze({ name, options: Object.freeze({ ...options }) });
}
