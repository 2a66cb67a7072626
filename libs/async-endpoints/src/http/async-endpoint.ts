import { HttpCode, HttpStatus, Inject, Req, Res, SetMetadata, UseFilters, UseGuards } from '@nestjs/common';
import { PROPERTY_DEPS_METADATA, ROUTE_ARGS_METADATA, SSE_METADATA } from '@nestjs/common/constants.js';
import type { Observable } from 'rxjs';
import type { JobDefinition } from '../job/define-job.js';
import { BodyReadGuard } from './body-read.guard.js';
import { EndpointSubmission } from './endpoint-submission.js';
import { describeEndpoint } from './openapi/describe-endpoint.js';
import type { ResultType } from './openapi/result-type.js';
import { ReplyFilter } from './reply.filter.js';

/** What the method of an async endpoint may return. */
export type AsyncEndpointReturn<TRequest> = TRequest | Promise<TRequest> | Observable<TRequest>;

export interface AsyncEndpointOptions<TResult = unknown> {
  /** What the result looks like in an OpenAPI document: a class with `@ApiProperty`. Default: any JSON. */
  resultType?: ResultType<TResult>;
}

/** On the method: the {@link JobDefinition} that it submits. */
export const ENDPOINT_METADATA = 'nestjs-async-endpoints:endpoint';

const SUBMISSION = Symbol('nestjs-async-endpoints:submission');
/** `RouteParamtypes.BODY`, which Nest does not export. */
const BODY_PARAMETER = '3:';

type Method = (this: { [SUBMISSION]?: EndpointSubmission }, ...args: unknown[]) => unknown;

/**
 * Makes a route with `@Post`, `@Put`, `@Patch` or `@Delete` an asynchronous endpoint: what the method returns is queued
 * as the job's request, and the client is answered 202 with the job to follow. Guards, pipes, validation, interceptors
 * and filters behave as on any route; what the method throws is answered as Nest answers it, and nothing is queued.
 *
 * A call without HTTP, as in a unit test, just runs the method.
 */
export function AsyncEndpoint<TRequest, TResult>(
  job: JobDefinition<TRequest, TResult>,
  options: AsyncEndpointOptions<TResult> = {},
) {
  return <TMethod extends (...args: never[]) => AsyncEndpointReturn<TRequest>>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<TMethod>,
  ): void => {
    const method = descriptor.value as unknown as Method;
    refuseMisuse(target, key, method);
    const parameters = Object.keys(
      (Reflect.getMetadata(ROUTE_ARGS_METADATA, target.constructor, key) as object | undefined) ?? {},
    );
    const declared = Math.max(method.length, ...parameters.map((parameter) => Number(parameter.split(':')[1]) + 1));
    // The request and response come as two more parameters, which pipes do not see: an interceptor would cost more
    // than half of the throughput (docs/decisions/0003).
    Req()(target, key, declared);
    Res({ passthrough: true })(target, key, declared + 1);
    injectSubmission(target);
    const endpoint: Method = function (...args) {
      const response = args[declared + 1];
      if (response === undefined || !this[SUBMISSION]) return method.apply(this, args);
      const produce = () => method.apply(this, args.slice(0, declared));
      return this[SUBMISSION].answer(job, args[declared], response, produce);
    };
    replace(descriptor, method, endpoint);
    HttpCode(HttpStatus.ACCEPTED)(target, key, descriptor);
    SetMetadata(ENDPOINT_METADATA, job)(target, key, descriptor);
    UseFilters(ReplyFilter)(target, key, descriptor);
    const takesBody = parameters.some((parameter) => parameter.startsWith(BODY_PARAMETER));
    if (takesBody) UseGuards(BodyReadGuard)(target, key, descriptor);
    describeEndpoint(endpoint, { job: job.name, resultType: options.resultType, takesBody });
  };
}

/** By property, so that the controller's constructor stays its author's. */
function injectSubmission(target: object): void {
  const injected = (Reflect.getMetadata(PROPERTY_DEPS_METADATA, target.constructor) ?? []) as { key: unknown }[];
  if (!injected.some(({ key }) => key === SUBMISSION)) Inject(EndpointSubmission)(target, SUBMISSION);
}

/** Puts the endpoint in the method's place, with the name, parameters and metadata that Nest and others read from it. */
function replace<T>(descriptor: TypedPropertyDescriptor<T>, method: Method, endpoint: Method): void {
  for (const metadata of Reflect.getMetadataKeys(method) as unknown[]) {
    Reflect.defineMetadata(metadata, Reflect.getMetadata(metadata, method), endpoint);
  }
  Object.defineProperty(endpoint, 'name', { value: method.name });
  Object.defineProperty(endpoint, 'length', { value: method.length });
  descriptor.value = endpoint as unknown as T;
}

function refuseMisuse(target: object, key: string | symbol, method: Method): void {
  const where = `${target.constructor.name}.${String(key)}`;
  if (Reflect.hasMetadata(ENDPOINT_METADATA, method))
    throw new TypeError(`${where} has two @AsyncEndpoint decorators.`);
  if (Reflect.hasMetadata(SSE_METADATA, method)) throw new TypeError(`${where} cannot be @Sse and @AsyncEndpoint.`);
}
