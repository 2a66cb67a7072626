import { boundedDelay } from './bounds.js';
import { PermanentJobError, RetryJobError, toJobError } from './errors.js';
import type { JobRecord } from './job.js';
import type { Outcome } from './lifecycle.js';
import { httpFailureOf, isPermanent } from './thrown.js';

/**
 * How long to wait before the n-th retry (n counts from 1), before cap and jitter:
 *
 * - `exponential`: 2^n × base — 4, 8, 16 s at the default base of 2 s
 * - `linear`: n × base
 * - `fixed`: base
 * - a function of n that gives milliseconds
 */
export type RetryCurve = 'exponential' | 'linear' | 'fixed' | ((retry: number) => number);

export interface RetryPolicy {
  readonly retryCurve: RetryCurve;
  readonly retryDelayBaseMs: number;
  /** No delay is longer than this, in milliseconds. */
  readonly maxRetryDelayMs: number;
  /** The part of the delay, 0 to 1, that is drawn at random so that retries do not come in step. */
  readonly retryJitter: number;
}

/** Retry or fail, and when: decided here and nowhere else; a store only applies the outcome. */
export function decideRetry(
  thrown: unknown,
  job: Pick<JobRecord, 'retryCount' | 'maxRetries'>,
  policy: RetryPolicy,
  random: () => number = Math.random,
): Outcome & { verb: 'retry' | 'fail' } {
  const error = toJobError(thrown);
  const http = httpFailureOf(thrown);
  const isHopeless = thrown instanceof PermanentJobError || (http !== null && isPermanent(http));
  if (isHopeless || job.retryCount >= job.maxRetries) return { verb: 'fail', error };
  const asked = thrown instanceof RetryJobError ? thrown.afterMs : http?.retryAfterMs;
  const delayMs = isDelay(asked) ? asked : retryDelayMs(job.retryCount + 1, policy, random);
  return { verb: 'retry', delayMs: boundedDelay(delayMs), error };
}

export function retryDelayMs(retry: number, policy: RetryPolicy, random: () => number = Math.random): number {
  const delayMs = Math.min(curveMs(retry, policy), policy.maxRetryDelayMs);
  return Math.round(delayMs * (1 - policy.retryJitter * random()));
}

/** A curve that throws or gives no duration falls back to the cap: a mistake there must not strand a job. */
function curveMs(retry: number, { retryCurve, retryDelayBaseMs, maxRetryDelayMs }: RetryPolicy): number {
  if (retryCurve === 'exponential') return 2 ** retry * retryDelayBaseMs;
  if (retryCurve === 'linear') return retry * retryDelayBaseMs;
  if (retryCurve === 'fixed') return retryDelayBaseMs;
  try {
    const delayMs = retryCurve(retry);
    return isDelay(delayMs) ? delayMs : maxRetryDelayMs;
  } catch {
    return maxRetryDelayMs;
  }
}

function isDelay(ms: unknown): ms is number {
  return typeof ms === 'number' && Number.isFinite(ms) && ms >= 0;
}
