import { headers, IDEMPOTENCY_KEY, json, orHttpException, PREFER, problems, REQUEST_ID } from './answers.js';
import { AsyncEndpointsProblem, HttpExceptionBody, modelOf } from './schemas.js';
import { describe, forgetReturnType, type Responses } from './swagger-metadata.js';

interface EndpointDescription {
  readonly job: string;
  readonly resultType: unknown;
  readonly takesBody: boolean;
}

const PRIVATE = headers('Cache-Control', 'X-Content-Type-Options');

/**
 * Describes the method of an async endpoint to @nestjs/swagger. Its summary and request body are its author's.
 *
 * @throws AsyncEndpointsError `INVALID_ENDPOINT` where the result type is none
 */
export function describeEndpoint(method: object, { job, resultType, takesBody }: EndpointDescription): void {
  const model = modelOf(job, resultType);
  forgetReturnType(method);
  describe(method, {
    parameters: [PREFER, IDEMPOTENCY_KEY, REQUEST_ID],
    responses: {
      202: {
        description: 'The job is queued.',
        headers: headers('Location', 'X-Async-Request-Id', 'Retry-After', 'Idempotency-Replayed', 'Preference-Applied'),
        content: json(model),
      },
      200: {
        description: 'The job is terminal: it ended during `Prefer: wait`, or this request repeats an earlier one.',
        headers: {
          ...headers('Location', 'X-Async-Request-Id', 'Idempotency-Replayed', 'Preference-Applied'),
          ...PRIVATE,
        },
        content: json(model),
      },
      ...refusals(takesBody),
    },
    models: [model, AsyncEndpointsProblem, HttpExceptionBody],
  });
}

function refusals(takesBody: boolean): Responses {
  const refused = problems([
    'INVALID_REQUEST_ID',
    'INVALID_IDEMPOTENCY_KEY',
    'REQUEST_ID_CONFLICT',
    'PAYLOAD_TOO_LARGE',
    ...(takesBody ? (['UNSUPPORTED_MEDIA_TYPE'] as const) : []),
    'IDEMPOTENCY_KEY_REUSED',
    'INTERNAL_ERROR',
    'QUEUE_FULL',
    'STORE_UNAVAILABLE',
    'STORE_FULL',
    'STORE_READ_ONLY',
    'SHUTTING_DOWN',
  ]);
  return orHttpException(refused, 400, ...(takesBody ? [413, 415] : []));
}
