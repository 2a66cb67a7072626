import { invalidEndpoint } from '../../job/errors.js';
import { HttpCode, HttpStatus, Inject, Optional, UseFilters, UseGuards } from '@nestjs/common';
import type { Observable } from 'rxjs';
import type { JobDefinition } from '../../job/define-job.js';
import type { SubmittedJob } from '../../job/job.js';
import type { Serialized } from '../../job/serialized.js';
import {
  keepReplies,
  PROPERTY_DEPS_METADATA,
  RESPONSE_PASSTHROUGH_METADATA,
  ROUTE_ARGS_METADATA,
  SSE_METADATA,
} from '../../nest/internals.js';
import { describeEndpoint } from '../openapi/describe-endpoint.js';
import type { ResultType } from '../openapi/schemas.js';
import { ReplyFilter } from '../reply/reply.filter.js';
import { BodyReadGuard } from './body-read.guard.js';
import { declaredValues } from './declared-values.js';
import {
  copyMetadata,
  ENDPOINT_METADATA,
  type EndpointMetadata,
  endpointMethod,
  isPassedRequest,
  type Method,
  passRequest,
  refuseParameters,
  SUBMISSION,
} from './endpoint-method.js';
import { EndpointSubmission } from './endpoint-submission.js';
import { nameOf, type Submit, submitParameterOf } from './submit-job.js';

/** The return type of the method of an async endpoint. */
export type AsyncEndpointReturn<TPayload> = TPayload | Promise<TPayload> | Observable<TPayload>;

export interface AsyncEndpointOptions<TResult = unknown> {
  /** The schema of the result in an OpenAPI document: a class with `@ApiProperty`. Default: any JSON. */
  resultType?: ResultType<TResult> | undefined;
  /**
   * Query values that the handler can read, in addition to those of `@Query('name')` parameters and `http.captureQueryParams`.
   * A name here is stored even when it looks like a credential, such as `nextToken`. Default none.
   */
  queryParams?: readonly string[] | undefined;
  /** Route values that the handler can read although their names look like credentials. Default none. */
  routeParams?: readonly string[] | undefined;
}

/** `RouteParamtypes.RESPONSE`, `NEXT` and `BODY`, which Nest does not export. */
const RESPONSE_PARAMETERS = ['1', '2'];
const BODY_PARAMETER = '3';

/** Whether a parameter of the method is a `Submit` of this job. */
type SubmitsItself<TMethod extends (...args: never[]) => unknown, TPayload, TResult> =
  Extract<Parameters<TMethod>[number], Submit<JobDefinition<TPayload, TResult, unknown>>> extends never ? false : true;

/** A method decorator that checks what the method returns; `applyDecorators` of Nest takes it too, but cannot check. */
interface AsyncEndpointDecorator<TPayload, TResult = unknown> {
  <TMethod extends (...args: never[]) => AsyncEndpointReturn<TPayload>>(
    target: object,
    key: string | symbol,
    descriptor: SubmitsItself<TMethod, TPayload, TResult> extends true ? never : TypedPropertyDescriptor<TMethod>,
  ): void;
  /** Of a method with `@SubmitJob() submit: Submit<…>`: it returns what `submit` resolves to. */
  <TMethod extends (...args: never[]) => AsyncEndpointReturn<SubmittedJob<Serialized<TResult>>>>(
    target: object,
    key: string | symbol,
    descriptor: SubmitsItself<TMethod, TPayload, TResult> extends true ? TypedPropertyDescriptor<TMethod> : never,
  ): void;
  /** Never chosen for a decorator, which is called without `this`: it makes the type one of method decorators. */
  <T>(this: object, target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<T>): void;
}

/**
 * Makes a route with `@Post`, `@Put`, `@Patch` or `@Delete` an asynchronous endpoint. The return value of the method becomes the
 * job's payload, and the response is a 202 with the job. Guards, pipes, validation, interceptors and filters behave as on any
 * route. When the method throws, nothing is queued, and Nest handles the exception as usual. A method with a `@SubmitJob()`
 * parameter submits the job itself, in its transaction.
 *
 * A call without HTTP, as in a unit test or through a `@MessagePattern` on the same method, only runs the method.
 */
export function AsyncEndpoint<TPayload, TResult>(
  job: JobDefinition<TPayload, TResult, unknown>,
  options: AsyncEndpointOptions<TResult> = {},
): AsyncEndpointDecorator<TPayload, TResult> {
  const decorate = (target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<unknown>): void => {
    const method = descriptor.value as Method;
    const declared = parametersOf(target, key);
    const submitAt = submitParameterOf(target, key);
    const indexes = [...declared.map(([, index]) => Number(index)), submitAt ?? -1];
    const parameters = Math.max(method.length, ...indexes.map((index) => index + 1));
    refuseMisuse(target, key, method, declared);
    refuseParameters(nameOf(target, key), parameters);
    passRequest(target, key);
    injectSubmission(target);
    const values = declaredValues(target, key, options);
    const endpoint = endpointMethod({ job, values, submitAt }, method, parameters);
    copyMetadata(method, endpoint);
    descriptor.value = endpoint;
    const metadata: EndpointMetadata = { job, values, submitAt, parameters, endpoint };
    Reflect.defineMetadata(ENDPOINT_METADATA, metadata, endpoint);
    Reflect.defineMetadata(ENDPOINT_METADATA, metadata, target, key);
    HttpCode(HttpStatus.ACCEPTED)(target, key, descriptor);
    UseFilters(ReplyFilter)(target, key, descriptor);
    const takesBody = declared.some(([type]) => type === BODY_PARAMETER);
    if (takesBody) UseGuards(BodyReadGuard)(target, key, descriptor);
    keepReplies(endpoint);
    describeEndpoint(endpoint, { job: job.name, resultType: options.resultType, takesBody });
  };
  return decorate;
}

/** Type and index of each parameter that its author decorated; those of ours come from an endpoint that is overridden. */
function parametersOf(target: object, key: string | symbol): [type: string, index: string][] {
  const all = (Reflect.getMetadata(ROUTE_ARGS_METADATA, target.constructor, key) ?? {}) as Record<string, unknown>;
  const declared = Object.keys(all).map((parameter) => parameter.split(':') as [string, string]);
  return declared.filter(([, index]) => !isPassedRequest(Number(index)));
}

/**
 * By property, so that the controller's constructor stays its author's. Optional, so that a unit test can construct the
 * controller without `AsyncEndpointsModule`; an application that forgot the module is refused by `ReplyFilter`.
 */
function injectSubmission(target: object): void {
  const injected = (Reflect.getMetadata(PROPERTY_DEPS_METADATA, target.constructor) ?? []) as { key: unknown }[];
  if (injected.some(({ key }) => key === SUBMISSION)) return;
  Optional()(target, SUBMISSION);
  Inject(EndpointSubmission)(target, SUBMISSION);
}

function refuseMisuse(target: object, key: string | symbol, method: Method, declared: [string, string][]): void {
  const where = nameOf(target, key);
  if (Reflect.hasMetadata(ENDPOINT_METADATA, method))
    throw invalidEndpoint(`${where} has two @AsyncEndpoint decorators.`);
  if (Reflect.hasMetadata(SSE_METADATA, method)) throw invalidEndpoint(`${where} cannot be @Sse and @AsyncEndpoint.`);
  const answersItself = declared.some(([type]) => RESPONSE_PARAMETERS.includes(type));
  if (answersItself && !Reflect.hasMetadata(RESPONSE_PASSTHROUGH_METADATA, target.constructor, key))
    throw invalidEndpoint(
      `${where} takes @Res() or @Next() to answer itself; an async endpoint needs @Res({ passthrough: true }).`,
    );
}
