import { LONGEST_MS, LONGEST_TIMER_MS } from '../job/bounds.js';
import { DEFAULT_RETENTION, type Retention } from '../job/job.js';
import type { RetryCurve } from '../job/retry.js';
import { integer, isObject, number, option, type OptionsOf, readText, rule } from './rules.js';

const milliseconds = integer(0, LONGEST_MS);
const bytes = integer(1, 512 * 1024 * 1024);
const curve = rule<RetryCurve>(
  'exponential, linear, fixed or a function',
  (value) => typeof value === 'function' || ['exponential', 'linear', 'fixed'].includes(value as string),
  readText,
);

/** The parts of `jobs.retention`. */
export const RETENTION = {
  /** How long completed jobs are kept, in ms. Default one day. */
  completedMs: option(() => DEFAULT_RETENTION.completedMs, milliseconds),
  /** How long failed jobs are kept, in ms. Default seven days. */
  failedMs: option(() => DEFAULT_RETENTION.failedMs, milliseconds),
  /** How long canceled jobs are kept, in ms. Default one day. */
  canceledMs: option(() => DEFAULT_RETENTION.canceledMs, milliseconds),
};

export const JOBS = {
  /** Retries after the first attempt, 0 to 1000, for jobs that do not set `maxRetries`. Default 3. */
  defaultMaxRetries: option(() => 3, integer(0, 1_000)),
  /** How the delays between attempts grow. Default `exponential`: 2^n × base, so 4, 8, 16 s. */
  retryCurve: option((): RetryCurve => 'exponential', curve),
  /** The base of the curve, in ms. Default 2000. */
  retryDelayBaseMs: option(() => 2_000, number(0, 86_400_000)),
  /** The longest delay between attempts, in ms. Default one hour. */
  maxRetryDelayMs: option(() => 3_600_000, milliseconds),
  /** The random part of each delay, 0 to 1, so that jobs that failed together do not retry together. Default 0.2. */
  retryJitter: option(() => 0.2, number(0, 1)),
  /** How long one attempt may run, in ms. Default 30 minutes. */
  timeoutMs: option(() => 1_800_000, integer(1, LONGEST_TIMER_MS)),
  /** How long terminal jobs are kept, in ms. Default one day; failed jobs seven days. */
  retention: option(
    () => ({}),
    rule<Partial<Retention>>('an object with completedMs, failedMs or canceledMs', isObject),
  ),
  /** How long an idempotency key is remembered, in ms. Its job is kept at least as long. Default one day. */
  idempotencyRetentionMs: option(() => 86_400_000, milliseconds),
  /** The most jobs that may wait, over all names and processes. Further submissions are refused. Default 100,000. */
  maxQueueSize: option(() => 100_000, integer(1, Number.MAX_SAFE_INTEGER)),
  /**
   * The most bytes that the stored records of waiting jobs may take, over all names and processes. Further submissions are
   * refused. Default 128 MiB.
   */
  maxQueueBytes: option(() => 128 * 1024 * 1024, integer(1, Number.MAX_SAFE_INTEGER)),
  /** The largest payload in bytes of JSON. Default 1 MiB. */
  maxPayloadBytes: option(() => 1024 * 1024, bytes),
  /** The largest result in bytes of JSON. Default 1 MiB. */
  maxResultBytes: option(() => 1024 * 1024, bytes),
};

export type JobsOptions = OptionsOf<typeof JOBS>;
