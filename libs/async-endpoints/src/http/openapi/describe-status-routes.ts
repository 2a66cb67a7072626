import type { Type } from '@nestjs/common';
import type { ErrorCode } from '../../job/errors.js';
import type { StatusRoutesOptions } from '../../options/options.js';
import { headers, IF_NONE_MATCH, JOB_ID, json, LAST_EVENT_ID, PREFER, problems } from './answers.js';
import { AsyncEndpointsProblem, AsyncJob } from './schemas.js';
import { describe, type Description, type Responses } from './swagger-metadata.js';

export type StatusRoute = 'status' | 'result' | 'events' | 'cancel';

/** The operation ids of the status routes, independent of the naming of the application's own operations. */
export const OPERATION_IDS: Readonly<Record<StatusRoute, string>> = {
  status: 'getJob',
  result: 'getJobResult',
  events: 'getJobEvents',
  cancel: 'cancelJob',
};

const STATE = headers('ETag', 'Cache-Control', 'Vary', 'X-Content-Type-Options');
const UNFINISHED = headers('ETag', 'Cache-Control', 'Vary', 'Location', 'Retry-After', 'Preference-Applied');
const FINISHED = { ...STATE, ...headers('Preference-Applied') };
const NOT_MODIFIED: Responses = { 304: { description: 'The job is unchanged.', headers: STATE } };
const HEAD = '`HEAD` answers the same without a body.';

const TOO_MANY = ['TOO_MANY_WAITS_OF_OWNER', 'TOO_MANY_WAITS'] as const;

const refusals = (...codes: ErrorCode[]): Responses =>
  problems(
    ['INVALID_JOB_ID', 'JOB_NOT_FOUND', ...codes, 'INTERNAL_ERROR', 'STORE_UNAVAILABLE'],
    headers('Cache-Control', 'Vary'),
  );

type RouteDescription = Omit<Description, 'models' | 'operation'> & {
  readonly summary: string;
  readonly description: string;
};

const ROUTES: Readonly<Record<StatusRoute, RouteDescription>> = {
  status: {
    summary: 'Get a job',
    description: `The status of the job and, when it is completed, its result. ${HEAD}`,
    parameters: [JOB_ID, PREFER, IF_NONE_MATCH],
    responses: {
      200: { description: 'The job is terminal.', headers: FINISHED, content: json(AsyncJob) },
      202: { description: 'The job is not terminal.', headers: UNFINISHED, content: json(AsyncJob) },
      ...NOT_MODIFIED,
      ...refusals(...TOO_MANY),
    },
  },
  result: {
    summary: 'Get the result of a job',
    description: `The result of a completed job, without the job. ${HEAD}`,
    parameters: [JOB_ID, PREFER, IF_NONE_MATCH],
    responses: {
      200: {
        description: 'The result: any JSON.',
        headers: FINISHED,
        content: { 'application/json': { schema: {} } },
      },
      202: { description: 'The job is not terminal.', headers: UNFINISHED, content: json(AsyncJob) },
      204: { description: 'The job is completed and has no result.', headers: FINISHED },
      ...NOT_MODIFIED,
      ...refusals('JOB_FAILED', 'JOB_CANCELED', ...TOO_MANY),
    },
  },
  events: {
    summary: 'Follow a job',
    description:
      'Server-sent events, `status` and `progress`: the current state of the job, then each change, until it is terminal. ' +
      'Their `data` is an AsyncJob; their `id` grows.',
    parameters: [JOB_ID, LAST_EVENT_ID],
    responses: {
      200: {
        description: 'The events.',
        headers: headers('X-Content-Type-Options'),
        content: { 'text/event-stream': { schema: { type: 'string' } } },
      },
      204: { description: 'The client has received the last event.', headers: headers('Cache-Control') },
      ...refusals(...TOO_MANY),
    },
  },
  cancel: {
    summary: 'Cancel a job',
    description:
      'Cancels a waiting job at once. For a running job, the signal of its handler is aborted and its result is discarded.',
    parameters: [JOB_ID],
    responses: {
      200: { description: 'The job is canceled.', headers: STATE, content: json(AsyncJob) },
      ...refusals('JOB_ALREADY_FINISHED'),
    },
  },
};

/** Whether each status route has one path, so that an operation id names it. */
export function areNamed({ version }: Pick<StatusRoutesOptions, 'version'>): boolean {
  return [version].flat().length === 1;
}

/** Describes the methods of the status controller to @nestjs/swagger. */
export function describeStatusRoutes(controller: Type, options: Pick<StatusRoutesOptions, 'version'>): void {
  const methods = controller.prototype as Record<StatusRoute, object>;
  for (const [route, described] of Object.entries(ROUTES) as [StatusRoute, RouteDescription][]) {
    const { summary, description, parameters, responses } = described;
    const operationId = areNamed(options) ? { operationId: OPERATION_IDS[route] } : {};
    const operation = { ...operationId, summary, description };
    describe(methods[route], { operation, parameters, responses, models: [AsyncJob, AsyncEndpointsProblem] });
  }
}
