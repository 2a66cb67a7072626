import type { Type } from '@nestjs/common';
import { AsyncEndpointsError, ERROR_CODES, type ErrorCode } from '../../job/errors.js';
import { problemReply, statusOf } from '../reply/problem.js';
import { AsyncEndpointsProblem, HttpExceptionBody } from './schemas.js';
import { type Header, type Parameter, refTo, type Response, type Responses, type Schema } from './swagger-metadata.js';

const string = (description: string, more: Schema = {}) => ({ description, schema: { type: 'string', ...more } });

const RESPONSE_HEADERS = {
  Location: string('The status route of the job.', { format: 'uri-reference' }),
  'X-Async-Request-Id': string('The id of the job.', { format: 'uuid' }),
  'Retry-After': {
    description: 'The estimated number of seconds after which to ask again.',
    schema: { type: 'integer', minimum: 1 },
  },
  'Idempotency-Replayed': string('Present when the same request was accepted before.', { enum: ['true'] }),
  'Preference-Applied': string('The preferences that applied.', { example: 'wait=20' }),
  ETag: string('The entity tag of this state of the job.'),
  'Cache-Control': string('Whether the client may store the response. Shared caches may not.'),
  'X-Content-Type-Options': string('Forbids browsers to guess the media type.', { enum: ['nosniff'] }),
  Vary: string('The request headers that the response depends on.'),
} satisfies Record<string, Header>;

export function headers(...names: (keyof typeof RESPONSE_HEADERS)[]): Record<string, Header> {
  return Object.fromEntries(names.map((name) => [name, RESPONSE_HEADERS[name]]));
}

const header = (name: string, description: string, schema: Schema = {}): Parameter => ({
  name,
  in: 'header',
  required: false,
  description,
  schema: { type: 'string', ...schema },
});

export const PREFER = header(
  'Prefer',
  'With `wait=N`, the response waits until the job is terminal, for at most N seconds (RFC 7240).',
  { example: 'wait=20' },
);
export const IDEMPOTENCY_KEY = header(
  'Idempotency-Key',
  'Repetitions of the request with the same key return the same job. With or without quotes.',
  { minLength: 1, example: '"8e03978e-40d5-43dd-bc93-6894a57f9324"' },
);
export const REQUEST_ID = header(
  'X-Async-Request-Id',
  'Becomes the id of the job. Repetitions of the request with the same id return the same job.',
  { format: 'uuid' },
);
export const IF_NONE_MATCH = header(
  'If-None-Match',
  'The entity tag of a known state. While it is current, the response is a 304; with `Prefer: wait`, the response waits for a change.',
);
export const LAST_EVENT_ID = header(
  'Last-Event-ID',
  'The id of the last event that the client received. The stream continues after it.',
  { pattern: '^\\d+$' },
);
export const JOB_ID: Parameter = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'The id of the job.',
  schema: { type: 'string', format: 'uuid' },
};

export function json(type: Type): Response['content'] {
  return { 'application/json': { schema: refTo(type) } };
}

/** A response for each status that these codes are answered with; all but a fault has the headers. */
export function problems(codes: readonly ErrorCode[], common: Response['headers'] = {}): Responses {
  return Object.fromEntries(
    [...new Set(codes.map(statusOf))].map((status) => [status, problem(codes, status, common)]),
  );
}

function problem(all: readonly ErrorCode[], status: number, common: Response['headers']): Response {
  const codes = all.filter((code) => statusOf(code) === status);
  return {
    description: codes.map((code) => `\`${code}\`: ${ERROR_CODES[code]}`).join('\n\n'),
    headers: {
      ...(status !== 500 && common),
      ...headers('X-Content-Type-Options'),
      ...([429, 503].includes(status) && headers('Retry-After')),
    },
    content: { 'application/problem+json': { schema: refTo(AsyncEndpointsProblem), examples: examplesOf(codes) } },
  };
}

function examplesOf(codes: ErrorCode[]): Record<string, { value: unknown }> {
  const problemOf = (code: ErrorCode) => problemReply(new AsyncEndpointsError(code), '/path/of/the/request').body;
  return Object.fromEntries(codes.map((code) => [code, { value: problemOf(code) }]));
}

/** These, which Nest or its adapter may have refused before us and in their own words. */
export function orHttpException(responses: Responses, ...statuses: number[]): Responses {
  const both = { ...responses };
  for (const status of statuses) {
    const response = both[status] as Response;
    both[status] = { ...response, content: { ...response.content, ...json(HttpExceptionBody) } };
  }
  return both;
}
