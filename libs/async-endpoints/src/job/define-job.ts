import type { Retention } from './job.js';
import type { RetryCurve } from './retry.js';
import type { JsonProblem, Serialized } from './serialized.js';

/** Options of one job name. They override the `jobs` options of the module. */
export interface JobOptions {
  /** Retries after the first attempt, 0 to 1000. Written into the job when it is submitted. */
  maxRetries?: number | undefined;
  /** Read by the worker when an attempt fails. */
  retryCurve?: RetryCurve | undefined;
  /** The base of the curve, in milliseconds. */
  retryDelayBaseMs?: number | undefined;
  /** The longest delay between attempts, in milliseconds. */
  maxRetryDelayMs?: number | undefined;
  /** The random part of each delay, 0 to 1. */
  retryJitter?: number | undefined;
  /** How long one attempt may run, in milliseconds; then its signal is aborted and it counts as failed. */
  timeoutMs?: number | undefined;
  /** −100 to 100; jobs with a larger priority run first among the jobs of this name. Default 0. */
  priority?: number | undefined;
  /** How long terminal jobs are kept, in milliseconds. */
  retention?: Partial<Retention> | undefined;
  /**
   * The most jobs of this name that run at once **in each worker process**, from 1. It is no limit across workers:
   * `concurrency: 1` on two workers runs two jobs at once. Default: the worker's own limit, `worker.maxConcurrency`.
   */
  concurrency?: number | undefined;
  /** The most jobs of this name that may wait, over all processes. Further submissions are refused. Default: no limit of its own. */
  maxQueueSize?: number | undefined;
  /**
   * The most bytes that waiting jobs of this name may take in the store, over all processes. Further submissions are refused.
   * Default: no limit of its own.
   */
  maxQueueBytes?: number | undefined;
  /** The largest payload in bytes of JSON. */
  maxPayloadBytes?: number | undefined;
  /** The largest result in bytes of JSON. */
  maxResultBytes?: number | undefined;
}

declare const types: unique symbol;

/** A class whose instances are payloads: a DTO. */
export type PayloadClass<TPayload> = new () => TPayload;

/** A job's name, its options and, for the compiler only, the types of its request, its payload and its result. */
export interface JobDefinition<TSubmitted = unknown, TResult = unknown, TPayload = Serialized<TSubmitted>> {
  readonly name: string;
  readonly options: Readonly<JobOptions>;
  /** The class that the worker makes of each payload again. */
  readonly payload?: PayloadClass<unknown>;
  readonly [types]?: { submitted: TSubmitted; result: TResult; payload: TPayload };
}

/** The type of a submitted payload, before it is written as JSON: `SubmittedPayload<typeof ProcessData>`. */
export type SubmittedPayload<TJob> = TJob extends { readonly [types]?: { submitted: infer TSubmitted } }
  ? TSubmitted
  : never;

/** The type of the payload for the handler: after JSON, or an instance of the payload class. */
export type JobPayload<TJob> = TJob extends { readonly [types]?: { payload: infer TPayload } } ? TPayload : never;

/** What clients and `JobManager` read: the handler's result after JSON. */
export type JobResult<TJob> = Serialized<JobReturn<TJob>>;

/** The return type of the handler. */
export type JobReturn<TJob> = TJob extends { readonly [types]?: { result: infer TResult } } ? TResult : never;

/** A text, or else a type that says what is wrong with the types of a job. */
type NameOf<TSubmitted, TResult> = [JsonProblem<TSubmitted, 'payload'> | JsonProblem<TResult, 'result'>] extends [never]
  ? string
  : JsonProblem<TSubmitted, 'payload'> | JsonProblem<TResult, 'result'>;

/**
 * Names a kind of job once, for the endpoints that submit it, the handler that does it and the clients that follow it.
 *
 * Requests and results are stored as JSON: the handler gets a `Date` as a string, and types that JSON cannot carry, such as
 * `Map` and `bigint`, do not compile. With a class as `payload`, the worker makes an instance of it of each payload by
 * class-transformer (`@Type(() => Date)`), and validates it by class-validator where that is installed.
 *
 * @example
 * export const ProcessData = defineJob<DataRequest, ProcessResult>('ProcessData', { maxRetries: 5, timeoutMs: 60_000 });
 * export const Remind = defineJob('Remind', { payload: ReminderDto });
 */
export function defineJob<TPayload extends object, TResult = void>(
  name: string,
  options: JobOptions & { payload: PayloadClass<TPayload> },
): JobDefinition<TPayload, TResult, TPayload>;
export function defineJob<TSubmitted = void, TResult = void>(
  name: NameOf<TSubmitted, TResult>,
  options?: JobOptions & { payload?: never },
): JobDefinition<TSubmitted, TResult>;
export function defineJob(
  name: string,
  { payload, ...options }: JobOptions & { payload?: PayloadClass<unknown> } = {},
): JobDefinition<never, never, never> {
  return Object.freeze({ name, options: Object.freeze(options), ...(payload && { payload }) });
}
