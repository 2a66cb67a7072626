import { randomUUID } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import { VERSION_NEUTRAL } from '@nestjs/common';
import { LONGEST_MS, LONGEST_TIMER_MS } from '../job/bounds.js';
import type { Retention } from '../job/job.js';
import type { RetryCurve } from '../job/retry.js';
import type {
  ContextOptions,
  HttpOptions,
  JobsOptions,
  RecoveryOptions,
  ResponseOptions,
  WorkerOptions,
} from './options.js';
import {
  flag,
  integer,
  isFunction,
  isHeaderToCapture,
  isListOf,
  isNameToCarry,
  isObject,
  isVersion,
  number,
  pattern,
  readList,
  readNumber,
  readText,
  type Rule,
  rule,
  text,
} from './rules.js';

/** The default of an option, and what values it takes. */
export interface Option<T> extends Rule<T> {
  initial(): T;
}

export type Definitions<T> = { readonly [K in keyof T]-?: Option<T[K]> };

const DAY_MS = 86_400_000;
const CAPTURED = 'accept,accept-language,content-type,user-agent,x-request-id,x-correlation-id,traceparent,tracestate';

const curve = rule<RetryCurve>(
  'exponential, linear, fixed or a function',
  (value) => typeof value === 'function' || ['exponential', 'linear', 'fixed'].includes(value as string),
  readText,
);
const ms0 = integer(0, LONGEST_MS);
const timer = integer(1, LONGEST_TIMER_MS);
const bytes = integer(1, 512 * 1024 * 1024);
const functionOrNone = rule<undefined>('a function', (value) => value === undefined || typeof value === 'function');

/** How long finished jobs are kept: the parts of `jobs.retention`. */
export const RETENTION: Definitions<Retention> = {
  completedMs: option(() => DAY_MS, ms0),
  failedMs: option(() => 7 * DAY_MS, ms0),
  canceledMs: option(() => DAY_MS, ms0),
};
/** Its parts are checked one by one. */
const retention = rule<Partial<Retention>>('an object with completedMs, failedMs or canceledMs', isObject);

export const WORKER: Definitions<WorkerOptions> = {
  workerId: option(() => `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`, text(1, 200)),
  maxConcurrency: option(availableParallelism, integer(1, 10_000)),
  maxClaimBatchSize: option(() => 10_000, integer(1, 10_000)),
  pollingIntervalMs: option(() => 5_000, integer(10, 3_600_000)),
  leaseMs: option(() => 15_000, integer(100, 3_600_000)),
  drainTimeoutMs: option(() => 30_000, integer(0, LONGEST_TIMER_MS)),
  abortGraceMs: option(() => 2_000, integer(0, 3_600_000)),
  globalEnhancers: option(() => false, flag()),
  abortOnLeaseEnd: option(() => false, flag()),
  autoStart: option(() => true, flag()),
  version: option(() => '', text(0, 100)),
};

export const JOBS: Definitions<JobsOptions> = {
  defaultMaxRetries: option(() => 3, integer(0, 1_000)),
  retryCurve: option((): RetryCurve => 'exponential', curve),
  retryDelayBaseMs: option(() => 2_000, number(0, 86_400_000)),
  maxRetryDelayMs: option(() => 3_600_000, ms0),
  retryJitter: option(() => 0.2, number(0, 1)),
  timeoutMs: option(() => 1_800_000, timer),
  retention: option(() => ({}), retention),
  idempotencyRetentionMs: option(() => DAY_MS, ms0),
  maxQueueSize: option(() => 100_000, integer(1, Number.MAX_SAFE_INTEGER)),
  maxQueueBytes: option(() => 128 * 1024 * 1024, integer(1, Number.MAX_SAFE_INTEGER)),
  maxPayloadBytes: option(() => 1024 * 1024, bytes),
  maxResultBytes: option(() => 1024 * 1024, bytes),
};

export const RECOVERY: Definitions<RecoveryOptions> = {
  enabled: option(() => true, flag()),
  sweepIntervalMs: option(() => 5_000, integer(10, 86_400_000)),
  maxCrashes: option(() => 3, integer(1, 1_000)),
  batchSize: option(() => 100, integer(1, 10_000)),
};

export const CONTEXT: Definitions<ContextOptions> = {
  names: option(
    () => [],
    rule('a list of names of 1 to 100 characters, none of them a credential', isListOf(isNameToCarry), readList),
  ),
  read: option(() => undefined, functionOrNone),
  run: option(() => undefined, functionOrNone),
};

export const RESPONSE: Definitions<ResponseOptions> = {
  jobSubmitted: option(() => undefined, functionOrNone),
  jobStatus: option(() => undefined, functionOrNone),
  submissionError: option(() => undefined, functionOrNone),
  exception: option(() => undefined, functionOrNone),
};

export const HTTP: Definitions<HttpOptions> = {
  statusRoutes: option(() => true, flag()),
  path: option(() => 'jobs', pattern(/^[\w~.-]+(\/[\w~.-]+)*$/, 'a path such as jobs or admin/jobs')),
  guards: option(() => [], rule('a list of guards', Array.isArray)),
  decorators: option(() => [], rule('a list of class decorators', isListOf(isFunction))),
  version: option(
    (): HttpOptions['version'] => VERSION_NEUTRAL,
    rule('a version, a list of versions or VERSION_NEUTRAL', isVersion, readList),
  ),
  owner: option(() => undefined, functionOrNone),
  idempotencyScope: option(() => undefined, functionOrNone),
  captureHeaders: option(
    () => CAPTURED.split(','),
    rule('a list of header names, none of them a credential', isListOf(isHeaderToCapture), readList),
  ),
  captureQueryParams: option(
    () => [],
    rule('a list of names of 1 to 100 characters, none of them a credential', isListOf(isNameToCarry), readList),
  ),
  publicBasePath: option(() => '', pattern(/^(\/[^/?#\s]+)*$/, 'a path such as /shop, or nothing')),
  unfinishedStatus: option(
    () => 202,
    rule('200 or 202', (value) => value === 200 || value === 202, readNumber),
  ),
  showAttempts: option(() => false, flag()),
  maxRetryAfterMs: option(() => 60_000, integer(1_000, 86_400_000)),
  maxWaitMs: option(() => 30_000, integer(0, 3_600_000)),
  maxHeldAnswers: option(() => 10_000, integer(1, 1_000_000)),
  maxHeldAnswersPerOwner: option(() => 1_000, integer(1, 1_000_000)),
  slowReaderTimeoutMs: option(() => 30_000, integer(100, 3_600_000)),
  keepAliveMs: option(() => 15_000, integer(1_000, 3_600_000)),
  shutdownDelayMs: option(() => 0, integer(0, 3_600_000)),
};

export function option<T>(initial: () => T, takes: Rule<T>): Option<T> {
  return { initial, ...takes };
}

/** Of `http`, what must be known before the application is put together. */
export const STATIC = ['statusRoutes', 'path', 'guards', 'decorators', 'version'];
