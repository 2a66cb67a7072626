import { hostname } from 'node:os';
import { invalid } from '../job/bounds.js';
import type { JobDefinition, JobOptions } from '../job/define-job.js';
import { CONTEXT } from './context.js';
import { HTTP, STATUS_ROUTES } from './http.js';
import { JOBS, RETENTION } from './jobs.js';
import {
  type AsyncEndpointsExtras,
  type AsyncEndpointsOptions,
  GROUPS,
  type JobPolicy,
  type ResolvedOptions,
  type Role,
  ROLES,
  type StatusRoutesOptions,
} from './options.js';
import { RESPONSE } from './response.js';
import {
  type Definitions,
  type Given,
  integer,
  isObject,
  option,
  type OptionsOf,
  pattern,
  type Rule,
} from './rules.js';
import { RECOVERY, WORKER } from './worker.js';

const { defaultMaxRetries: MAX_RETRIES, idempotencyRetentionMs: _ofTheModule, ...OF_JOB_AND_MODULE } = JOBS;
const JOB = {
  ...OF_JOB_AND_MODULE,
  maxRetries: MAX_RETRIES,
  priority: option(() => 0, integer(-100, 100)),
  concurrency: WORKER.maxConcurrency,
} satisfies Record<keyof JobOptions, Rule<unknown>>;

/** @throws AsyncEndpointsError `INVALID_OPTION`, naming the option, its value and what was expected */
export function resolveOptions(given: AsyncEndpointsOptions, extras: AsyncEndpointsExtras): ResolvedOptions {
  rejectMisplaced('', given, ['isGlobal', 'role']);
  rejectMisplaced('http.', given.http ?? {}, Object.keys(STATUS_ROUTES));
  rejectUnknown('', given, ['store', ...Object.keys(GROUPS)]);
  const jobs = resolve('jobs', JOBS, given.jobs);
  return {
    worker: withHost(resolve('worker', WORKER, given.worker)),
    jobs: { ...jobs, retention: resolve('jobs.retention', RETENTION, jobs.retention) },
    recovery: resolve('recovery', RECOVERY, given.recovery),
    context: resolveContext(given.context),
    response: resolve('response', RESPONSE, given.response),
    http: resolve('http', HTTP, { ...given.http, ...extras.http }),
  };
}

/** Adds the host name, so that operators can find the host of a dead worker. */
function withHost(worker: ResolvedOptions['worker']): ResolvedOptions['worker'] {
  const { workerId } = worker;
  return workerId.includes(hostname()) ? worker : { ...worker, workerId: `${workerId}@${hostname()}` };
}

function resolveContext(given: AsyncEndpointsOptions['context']): ResolvedOptions['context'] {
  const context = resolve('context', CONTEXT, given);
  if (context.names.length === 0 || context.read) return context;
  throw invalid('context.read', undefined, 'a function, because there are context.names');
}

/** @throws AsyncEndpointsError `INVALID_OPTION` */
export function resolveExtras(extras: AsyncEndpointsExtras): { role: Role; http: StatusRoutesOptions } {
  const { role = 'all', http } = extras;
  if (!ROLES.accepts(role)) throw invalid('role', role, ROLES.expected);
  return { role, http: resolve('http', HTTP, http) };
}

/** @throws AsyncEndpointsError `INVALID_OPTION`, as {@link resolveOptions} */
export function resolveJobPolicy(job: JobDefinition, defaults: ResolvedOptions['jobs']): JobPolicy {
  const where = `job ${JSON.stringify(job.name)}`;
  const named = pattern(/^[A-Za-z0-9][\w.:-]{0,99}$/, 'letters, digits and . _ : - (at most 100)');
  if (!named.accepts(job.name)) throw invalid(`the name of ${where}`, job.name, named.expected);
  const { options } = job;
  rejectUnknown(where, options, Object.keys(JOB));
  const given = defined(options);
  for (const [key, value] of Object.entries(given)) validate(where, key, JOB[key as keyof JobOptions], value);
  const { defaultMaxRetries, ...shared } = defaults;
  return {
    ...shared,
    name: job.name,
    priority: 0,
    maxRetries: defaultMaxRetries,
    ...given,
    retention: resolve(`${where}.retention`, RETENTION, { ...shared.retention, ...defined(options.retention) }),
    concurrency: options.concurrency ?? null,
    maxQueueSize: options.maxQueueSize ?? null,
    maxQueueBytes: options.maxQueueBytes ?? null,
  };
}

function resolve<T extends Definitions>(group: string, definitions: T, given: Given<OptionsOf<T>> = {}): OptionsOf<T> {
  if (!isObject(given)) throw invalid(group, given, 'an object');
  rejectUnknown(group, given, Object.keys(definitions));
  const values = Object.entries(definitions).map(([key, definition]) => {
    const value = given[key];
    if (value === undefined) return [key, definition.initial()];
    validate(group, key, definition, value);
    return [key, value];
  });
  return Object.fromEntries(values) as OptionsOf<T>;
}

/** Removes properties that are undefined. */
function defined<T extends object>(given: T | undefined): Partial<T> {
  return Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>;
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
