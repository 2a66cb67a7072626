import { AsyncEndpointsError } from '../../job/errors.js';
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

/** All properties are there, except those that are named as optional. */
function object(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, required };
}

const AsyncJobProgress = model('AsyncJobProgress', {
  ...object({
    fraction: { type: 'number', minimum: 0, maximum: 1, description: 'From 0 to 1.' },
    message: orNull(text('For people.')),
  }),
  description: 'The progress that a running job reports.',
});

const AsyncJobError = model('AsyncJobError', {
  ...object(
    {
      code: { ...text('For programs.'), example: 'UPSTREAM_TIMEOUT' },
      message: text('For people.'),
      details: { description: 'Any JSON.' },
    },
    ['details'],
  ),
  description: 'The error of the last attempt.',
});

const AsyncJobAttempt = model(
  'AsyncJobAttempt',
  {
    ...object({
      number: {
        type: 'integer',
        minimum: 1,
        description: 'The number of the attempt. Crashes count; a rerun begins at 1.',
      },
      startedAt: time('When it began.'),
      endedAt: time('When it ended.'),
      outcome: {
        type: 'string',
        enum: ['retry', 'fail', 'crash'],
        description: '`retry`: another attempt follows. `fail`: it was the last. `crash`: the worker died.',
      },
      error: refTo(AsyncJobError),
    }),
    description: 'An attempt that ended without success.',
  },
  [AsyncJobError],
);

const AsyncJobLinks = model('AsyncJobLinks', {
  ...object({
    self: path('The job.'),
    result: path('Its bare result.'),
    events: path('Its status and progress as they change.'),
  }),
  description: 'The routes of the job, as absolute paths.',
});

const JOB = object(
  {
    id: { ...text('Names the job.'), format: 'uuid' },
    name: text('The kind of work.'),
    status: {
      type: 'string',
      enum: JOB_STATUSES,
      description: 'The status. `Completed`, `Failed` and `Canceled` are terminal.',
    },
    retryCount: count('Failed attempts that were followed by another.'),
    maxRetries: count('How many there may be.'),
    createdAt: time('When it was submitted.'),
    startedAt: notYet(time('When its first attempt began.')),
    completedAt: notYet(time('When it ended.')),
    lastUpdatedAt: time('When anything here last changed.'),
    progress: refOrNull(AsyncJobProgress, 'What its handler reported last.'),
    result: { description: 'The result: any JSON. `null` when the job is not completed, or has no result.' },
    error: refOrNull(AsyncJobError, 'Why it failed, or is to be tried again.'),
    failedAttempts: {
      type: 'array',
      items: refTo(AsyncJobAttempt),
      maxItems: 10,
      description: 'The last unsuccessful attempts. Present when the server has `http.showAttempts`.',
    },
    links: refTo(AsyncJobLinks),
  },
  ['failedAttempts'],
);

export const AsyncJob = model('AsyncJob', { ...JOB, description: 'An asynchronous job.' }, [
  AsyncJobProgress,
  AsyncJobError,
  AsyncJobAttempt,
  AsyncJobLinks,
]);

export const AsyncEndpointsProblem = model(
  'AsyncEndpointsProblem',
  {
    ...object(
      {
        type: { ...text('Names the kind of problem.'), format: 'uri' },
        title: text('What the code means.'),
        status: { type: 'integer', minimum: 400, maximum: 599, description: 'The status code of the response.' },
        detail: text('What it means here.'),
        instance: path('The path of the request.'),
        code: { type: 'string', enum: PROBLEM_CODES, description: 'Stable, for programs.' },
        error: { allOf: [refTo(AsyncJobError)], description: 'With `JOB_FAILED`: the error of the job.' },
        correlationId: { ...text('Of `INTERNAL_ERROR`: stands in the log, too.'), format: 'uuid' },
      },
      ['error', 'correlationId'],
    ),
    description: 'An error response (RFC 9457).',
  },
  [AsyncJobError],
);

/** What Nest itself answers, to a request that validation refuses among others. */
export const HttpExceptionBody = model('HttpExceptionBody', {
  ...object(
    {
      statusCode: { type: 'integer', minimum: 400, maximum: 599, description: 'The status code of the response.' },
      message: {
        oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
        description: 'One or several messages.',
      },
      error: text('The name of the status code.'),
    },
    ['error'],
  ),
  description: 'An error of the framework or of a guard, pipe or filter of the application.',
});

/** The job, with its own name and result where there is a class for this. */
export function modelOf(name: string, resultType: unknown): Type {
  if (resultType === undefined) return AsyncJob;
  const { type, isList } = classOf(resultType);
  const { item, uses } = resultSchema(type);
  const result = isList ? { type: 'array', items: item } : item;
  const own = object({
    name: { type: 'string', enum: [name] },
    result: orNull({ ...result, description: 'The result. `null` when the job is not completed, or has no result.' }),
  });
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

/** @throws AsyncEndpointsError `INVALID_ENDPOINT` where it is neither a class nor a list of one, as plain JavaScript may have it */
export function classOf(resultType: unknown): { type: Type; isList: boolean } {
  const [type, ...others] = [resultType].flat();
  if (typeof type === 'function' && others.length === 0)
    return { type: type as Type, isList: Array.isArray(resultType) };
  const message = `resultType is ${String(resultType)}; expected a class, or a list of one class.`;
  throw new AsyncEndpointsError('INVALID_ENDPOINT', message);
}
