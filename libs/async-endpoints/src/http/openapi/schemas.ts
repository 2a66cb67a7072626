import { invalidEndpoint } from '../../job/errors.js';
import type { Type } from '@nestjs/common';
import { JOB_STATUSES } from '../../job/job.js';
import { PROBLEM_CODES } from '../reply/problem.js';
import { model, refTo, type Schema } from './swagger-metadata.js';

const text = (description: string): Schema => ({ type: 'string', description });
const time = (description: string): Schema => ({ type: 'string', format: 'date-time', description });
const count = (description: string): Schema => ({ type: 'integer', minimum: 0, description });
const path = (description: string): Schema => ({ type: 'string', format: 'uri-reference', description });
const orNull = (schema: Schema): Schema => ({ ...schema, nullable: true });
const notYet = (schema: Schema): Schema => orNull({ ...schema, example: null });
/** OpenAPI 3.0 heeds `nullable` only beside a type. */
const refOrNull = (type: Type, description: string): Schema =>
  notYet({ type: 'object', allOf: [refTo(type)], description });

const choice = (values: readonly string[], description: string): Schema => ({
  type: 'string',
  enum: values,
  description,
});

/** @param members a property whose name ends with a question mark is optional */
function modelWith(name: string, description: string, uses: Type[], members: Readonly<Record<string, Schema>>): Type {
  const names = Object.keys(members);
  const properties = Object.fromEntries(names.map((key) => [key.replace('?', ''), members[key]]));
  const required = names.filter((key) => !key.endsWith('?'));
  return model(name, { type: 'object', properties, required, description }, uses);
}

const AsyncJobProgress = modelWith('AsyncJobProgress', 'The progress that a running job reports.', [], {
  fraction: { type: 'number', minimum: 0, maximum: 1, description: 'From 0 to 1.' },
  message: orNull(text('For people.')),
});

const AsyncJobError = modelWith('AsyncJobError', 'The error of the last attempt.', [], {
  code: { ...text('For programs.'), example: 'UPSTREAM_TIMEOUT' },
  message: text('For people.'),
  'details?': { description: 'Any JSON.' },
});

const AsyncJobAttempt = modelWith('AsyncJobAttempt', 'An attempt that ended without success.', [AsyncJobError], {
  number: { ...count('The number of the attempt. Crashes count; a rerun begins at 1.'), minimum: 1 },
  startedAt: time('When it began.'),
  endedAt: time('When it ended.'),
  outcome: choice(
    ['retry', 'fail', 'crash'],
    '`retry`: another attempt follows. `fail`: it was the last. `crash`: the worker died.',
  ),
  error: refTo(AsyncJobError),
});

const AsyncJobLinks = modelWith('AsyncJobLinks', 'The routes of the job, as absolute paths.', [], {
  self: path('The job.'),
  result: path('Its bare result.'),
  events: path('Its status and progress as they change.'),
});

export const AsyncJob = modelWith(
  'AsyncJob',
  'An asynchronous job.',
  [AsyncJobProgress, AsyncJobError, AsyncJobAttempt, AsyncJobLinks],
  {
    id: { ...text('Names the job.'), format: 'uuid' },
    name: text('The kind of work.'),
    status: choice(JOB_STATUSES, 'The status. `Completed`, `Failed` and `Canceled` are terminal.'),
    retryCount: count('Failed attempts that were followed by another.'),
    maxRetries: count('How many there may be.'),
    createdAt: time('When it was submitted.'),
    startedAt: notYet(time('When its first attempt began.')),
    completedAt: notYet(time('When it ended.')),
    lastUpdatedAt: time('When anything here last changed.'),
    progress: refOrNull(AsyncJobProgress, 'What its handler reported last.'),
    result: { description: 'The result: any JSON. `null` when the job is not completed, or has no result.' },
    error: refOrNull(AsyncJobError, 'Why it failed, or is to be tried again.'),
    'failedAttempts?': {
      type: 'array',
      items: refTo(AsyncJobAttempt),
      maxItems: 10,
      description: 'The last unsuccessful attempts. Present when the server has `http.showAttempts`.',
    },
    links: refTo(AsyncJobLinks),
  },
);

export const AsyncEndpointsProblem = modelWith(
  'AsyncEndpointsProblem',
  'An error response (RFC 9457).',
  [AsyncJobError],
  {
    type: { ...text('Names the kind of problem.'), format: 'uri' },
    title: text('What the code means.'),
    status: { type: 'integer', minimum: 400, maximum: 599, description: 'The status code of the response.' },
    detail: text('What it means here.'),
    instance: path('The path of the request.'),
    code: choice(PROBLEM_CODES, 'Stable, for programs.'),
    'error?': { allOf: [refTo(AsyncJobError)], description: 'With `JOB_FAILED`: the error of the job.' },
    'correlationId?': { ...text('Of `INTERNAL_ERROR`: stands in the log, too.'), format: 'uuid' },
  },
);

/** What Nest itself answers, to a request that validation refuses among others. */
export const HttpExceptionBody = modelWith(
  'HttpExceptionBody',
  'An error of the framework or of a guard, pipe or filter of the application.',
  [],
  {
    statusCode: { type: 'integer', minimum: 400, maximum: 599, description: 'The status code of the response.' },
    message: {
      oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
      description: 'One or several messages.',
    },
    'error?': text('The name of the status code.'),
  },
);

/** The schema of a job, with its own name and result type when there is a result class. */
export function modelOf(name: string, resultType: unknown): Type {
  if (resultType === undefined) return AsyncJob;
  const { type, isList } = classOf(resultType);
  const { item, uses } = resultSchema(type);
  const result = isList ? { type: 'array', items: item } : item;
  const description = 'The result. `null` when the job is not completed, or has no result.';
  const properties = { name: { type: 'string', enum: [name] }, result: orNull({ ...result, description }) };
  const own = { type: 'object', properties, required: ['name', 'result'] };
  const schema = { allOf: [refTo(AsyncJob), own], description: `A job with the name ${name}.` };
  return model(`${name.replaceAll(/[^\w.-]/g, '_')}Job`, schema, [AsyncJob, ...uses]);
}

function resultSchema(type: Type): { item: Schema; uses: Type[] } {
  const builtIn = new Map<unknown, string>([
    [String, 'string'],
    [Number, 'number'],
    [Boolean, 'boolean'],
  ]).get(type);
  if (builtIn !== undefined) return { item: { type: builtIn }, uses: [] };
  return { item: { type: 'object', allOf: [refTo(type)] }, uses: [type] };
}

type Constructor<T> = abstract new (...args: never[]) => T;
type ClassOf<T> = T extends string
  ? StringConstructor
  : T extends number
    ? NumberConstructor
    : T extends boolean
      ? BooleanConstructor
      : Constructor<T>;

/** A class for results of this type, in brackets for a list of them; `String`, `Number` or `Boolean` for these. */
export type ResultType<TResult = unknown> = unknown extends TResult
  ? Constructor<unknown> | readonly [Constructor<unknown>]
  : TResult extends readonly (infer TItem)[]
    ? readonly [ClassOf<TItem>]
    : ClassOf<TResult>;

/**
 * @throws AsyncEndpointsError `INVALID_ENDPOINT` when it is neither a class nor a list of one, which is possible in
 * JavaScript
 */
export function classOf(resultType: unknown): { type: Type; isList: boolean } {
  const [type, ...others] = [resultType].flat();
  if (typeof type === 'function' && others.length === 0)
    return { type: type as Type, isList: Array.isArray(resultType) };
  const message = `resultType is ${String(resultType)}; expected a class, or a list of one class.`;
  throw invalidEndpoint(message);
}
