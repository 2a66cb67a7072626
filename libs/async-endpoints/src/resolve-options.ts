import { randomUUID } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import { VERSION_NEUTRAL } from '@nestjs/common';
import type { JobDefinition, JobOptions } from './job/define-job.js';
import { AsyncEndpointsError } from './job/errors.js';
import type { Retention } from './job/job.js';
import type { RetryCurve } from './job/retry.js';
import {
  flag,
  integer,
  isFunction,
  isHeaderToCapture,
  isListOf,
  isObject,
  isVersion,
  number,
  pattern,
  type Rule,
  rule,
  text,
} from './option-rules.js';
import type {
  AsyncEndpointsExtras,
  AsyncEndpointsOptions,
  HttpOptions,
  JobPolicy,
  JobsOptions,
  RecoveryOptions,
  ResolvedOptions,
  ResponseOptions,
  Role,
  StatusRoutesOptions,
  WorkerOptions,
} from './options.js';

/** The default of an option, and what values it takes. */
interface Option<T> extends Rule<T> {
  initial(): T;
}

type Definitions<T> = { readonly [K in keyof T]-?: Option<T[K]> };

const DAY_MS = 86_400_000;
const LONGEST_MS = 10 * 365 * DAY_MS;
/** Timers cannot be longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const RETENTION: Retention = { completedMs: DAY_MS, failedMs: 7 * DAY_MS, canceledMs: DAY_MS };
const CAPTURED = 'accept,accept-language,content-type,user-agent,x-request-id,x-correlation-id,traceparent,tracestate';

const curve = rule<RetryCurve>(
  'exponential, linear, fixed or a function',
  (value) => typeof value === 'function' || ['exponential', 'linear', 'fixed'].includes(value as string),
);
const retention = rule<Partial<Retention>>(
  `an object with completedMs, failedMs or canceledMs, each from 0 to ${LONGEST_MS}`,
  (value) => isObject(value) && Object.entries(value).every(([key, ms]) => key in RETENTION && ms0.accepts(ms)),
);
const ms0 = integer(0, LONGEST_MS);
const timer = integer(1, LONGEST_TIMER_MS);
const bytes = integer(1, 512 * 1024 * 1024);
const functionOrNone = rule<undefined>('a function', (value) => value === undefined || typeof value === 'function');

const WORKER: Definitions<WorkerOptions> = {
  workerId: option(() => `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`, text(1, 200)),
  maximumConcurrency: option(availableParallelism, integer(1, 10_000)),
  pollingIntervalMs: option(() => 5_000, integer(10, 3_600_000)),
  leaseMs: option(() => 15_000, integer(100, 3_600_000)),
  drainTimeoutMs: option(() => 30_000, integer(0, LONGEST_TIMER_MS)),
  abortGraceMs: option(() => 2_000, integer(0, 3_600_000)),
};

const JOBS: Definitions<JobsOptions> = {
  defaultMaxRetries: option(() => 3, integer(0, 1_000)),
  retryCurve: option((): RetryCurve => 'exponential', curve),
  retryDelayBaseSeconds: option(() => 2, number(0, 86_400)),
  maxRetryDelayMs: option(() => 3_600_000, ms0),
  retryJitter: option(() => 0, number(0, 1)),
  timeoutMs: option(() => 1_800_000, timer),
  retention: option((): Partial<Retention> => RETENTION, retention),
  idempotencyRetentionMs: option(() => DAY_MS, ms0),
  maximumQueueSize: option(() => 100_000, integer(1, Number.MAX_SAFE_INTEGER)),
  maximumPayloadBytes: option(() => 1024 * 1024, bytes),
  maximumResultBytes: option(() => 1024 * 1024, bytes),
};

const RECOVERY: Definitions<RecoveryOptions> = {
  enabled: option(() => true, flag()),
  sweepIntervalMs: option(() => 5_000, integer(10, 86_400_000)),
  maxCrashes: option(() => 3, integer(1, 1_000)),
  batchSize: option(() => 100, integer(1, 10_000)),
};

const RESPONSE: Definitions<ResponseOptions> = {
  jobSubmitted: option(() => undefined, functionOrNone),
  jobStatus: option(() => undefined, functionOrNone),
  submissionError: option(() => undefined, functionOrNone),
  exception: option(() => undefined, functionOrNone),
};

const HTTP: Definitions<HttpOptions> = {
  statusRoutes: option(() => true, flag()),
  path: option(() => 'jobs', pattern(/^[\w~.-]+(\/[\w~.-]+)*$/, 'a path such as jobs or admin/jobs')),
  guards: option(() => [], rule('a list of guards', Array.isArray)),
  decorators: option(() => [], rule('a list of class decorators', isListOf(isFunction))),
  version: option(
    (): HttpOptions['version'] => VERSION_NEUTRAL,
    rule('a version, a list of versions or VERSION_NEUTRAL', isVersion),
  ),
  owner: option(() => undefined, functionOrNone),
  captureHeaders: option(
    () => CAPTURED.split(','),
    rule('a list of header names, none of them a credential', isListOf(isHeaderToCapture)),
  ),
  publicBasePath: option(() => '', pattern(/^(\/[^/?#\s]+)*$/, 'a path such as /shop, or nothing')),
  unfinishedStatus: option(
    () => 202,
    rule('200 or 202', (value) => value === 200 || value === 202),
  ),
  maxRetryAfterSeconds: option(() => 60, integer(1, 86_400)),
  maxWaitSeconds: option(() => 30, integer(0, 3_600)),
  keepAliveSeconds: option(() => 15, integer(1, 3_600)),
};

const { defaultMaxRetries: MAX_RETRIES, idempotencyRetentionMs: _ofTheModule, ...OF_JOB_AND_MODULE } = JOBS;
const JOB: Definitions<Required<JobOptions>> = {
  ...OF_JOB_AND_MODULE,
  maxRetries: MAX_RETRIES,
  priority: option(() => 0, integer(-100, 100)),
  concurrency: WORKER.maximumConcurrency,
};

const STATIC = ['statusRoutes', 'path', 'guards', 'decorators', 'version'];
const GROUPS = { worker: WORKER, jobs: JOBS, recovery: RECOVERY, response: RESPONSE, http: HTTP } as const;

/** @throws AsyncEndpointsError `INVALID_OPTION`, naming the option, its value and what was expected */
export function resolveOptions(given: AsyncEndpointsOptions, extras: AsyncEndpointsExtras): ResolvedOptions {
  rejectMisplaced('', given, ['isGlobal', 'role']);
  rejectMisplaced('http.', given.http ?? {}, STATIC);
  rejectUnknown('', given, ['store', ...Object.keys(GROUPS)]);
  const jobs = resolve('jobs', JOBS, given.jobs);
  return {
    worker: resolve('worker', WORKER, given.worker),
    jobs: { ...jobs, retention: { ...RETENTION, ...jobs.retention } },
    recovery: resolve('recovery', RECOVERY, given.recovery),
    response: resolve('response', RESPONSE, given.response),
    http: resolve('http', HTTP, { ...given.http, ...extras.http }),
  };
}

/** @throws AsyncEndpointsError `INVALID_OPTION` */
export function resolveExtras(extras: AsyncEndpointsExtras): { role: Role; http: StatusRoutesOptions } {
  const { role = 'all', http } = extras;
  if (!['all', 'api', 'worker'].includes(role)) throw invalid('role', role, 'all, api or worker');
  return { role, http: resolve('http', HTTP, http) };
}

/** @throws AsyncEndpointsError `INVALID_OPTION`, as {@link resolveOptions} */
export function resolveJobPolicy(job: JobDefinition, defaults: ResolvedOptions['jobs']): JobPolicy {
  const where = `job ${JSON.stringify(job.name)}`;
  const named = pattern(/^[A-Za-z0-9][\w.:-]{0,99}$/, 'letters, digits and . _ : - (at most 100)');
  if (!named.accepts(job.name)) throw invalid(`the name of ${where}`, job.name, named.expected);
  const { options } = job;
  rejectUnknown(where, options, Object.keys(JOB));
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  for (const [key, value] of given) validate(where, key, JOB[key as keyof JobOptions], value);
  const { defaultMaxRetries, ...shared } = defaults;
  return {
    ...shared,
    priority: 0,
    maxRetries: defaultMaxRetries,
    ...Object.fromEntries(given),
    retention: { ...shared.retention, ...options.retention },
    concurrency: options.concurrency ?? null,
    maximumQueueSize: options.maximumQueueSize ?? null,
  };
}

function resolve<T extends object>(group: string, definitions: Definitions<T>, given: Partial<T> = {}): T {
  if (!isObject(given)) throw invalid(group, given, 'an object');
  rejectUnknown(group, given, Object.keys(definitions));
  return Object.fromEntries(
    (Object.keys(definitions) as (keyof T & string)[]).map((key) => {
      if (given[key] === undefined) return [key, definitions[key].initial()];
      validate(group, key, definitions[key], given[key]);
      return [key, given[key]];
    }),
  ) as T;
}

function validate(group: string, key: string, { accepts, expected }: Rule<unknown>, value: unknown): void {
  if (!accepts(value)) throw invalid(`${group}.${key}`, value, expected);
}

function rejectUnknown(group: string, given: object, known: string[]): void {
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const name = group ? `${group}.${unknown}` : unknown;
  throw invalid(
    name,
    (given as Record<string, unknown>)[unknown],
    `one of the options that exist: ${known.join(', ')}`,
  );
}

function rejectMisplaced(group: string, given: object, misplaced: string[]): void {
  const key = Object.keys(given).find((name) => misplaced.includes(name));
  if (key) throw invalid(group + key, (given as Record<string, unknown>)[key], 'beside useFactory, not in its result');
}

function invalid(name: string, value: unknown, expected: string): AsyncEndpointsError {
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return new AsyncEndpointsError('INVALID_OPTION', `${name} is ${shown}; expected ${expected}.`);
}

function option<T>(initial: () => T, { expected, accepts }: Rule<T>): Option<T> {
  return { initial, expected, accepts };
}
