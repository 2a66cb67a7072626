import { Req, Res } from '@nestjs/common';
import { type AsyncEndpointsError, invalidEndpoint } from '../../job/errors.js';
import type { HttpRequest } from '../../options/options.js';
import type { EndpointSubmission, SubmittingEndpoint } from './endpoint-submission.js';

/** The property of a controller that holds its `EndpointSubmission`. */
export const SUBMISSION = Symbol('nestjs-async-endpoints:submission');
/** On the method, and on its class under the method's name: the {@link EndpointMetadata}. */
export const ENDPOINT_METADATA = 'nestjs-async-endpoints:endpoint';
/**
 * The index of the request, after all parameters of any method; the response follows. A subclass that overrides an endpoint
 * inherits both parameters, and its own must not collide with them.
 */
const REQUEST_AT = 24;
const RESPONSE_AT = REQUEST_AT + 1;

export type Method = (this: { [SUBMISSION]?: EndpointSubmission }, ...args: unknown[]) => unknown;

export interface EndpointMetadata extends SubmittingEndpoint {
  /** How many parameters its author gave it. */
  readonly parameters: number;
  readonly endpoint: Method;
}

const endpoints = new WeakSet<Method>();

/**
 * A method that submits what the given method returns, when a request calls it. A call without HTTP, as in a unit test or for the
 * message of a microservice, only runs the given method.
 */
export function endpointMethod(submitting: SubmittingEndpoint, method: Method, parameters: number): Method {
  const endpoint: Method = function (...args) {
    const isCalledByNest = args.length > REQUEST_AT;
    const given = isCalledByNest ? args.slice(0, parameters) : args;
    const response = args[RESPONSE_AT] ?? undefined; // a microservice passes null
    if (response === undefined || !this[SUBMISSION]) return method.apply(this, given);
    const call = { request: args[REQUEST_AT] as HttpRequest, response, route: [this.constructor, endpoint] };
    return this[SUBMISSION].answer(submitting, call, (submit) => {
      if (submitting.submitAt !== undefined) given[submitting.submitAt] = submit;
      return method.apply(this, given);
    });
  };
  Object.defineProperty(endpoint, 'name', { value: method.name });
  Object.defineProperty(endpoint, 'length', { value: method.length });
  endpoints.add(endpoint);
  return endpoint;
}

/** Passes request and response as parameters without pipes. An interceptor would cost more than half of the throughput (0003). */
export function passRequest(target: object, key: string | symbol): void {
  Req()(target, key, REQUEST_AT);
  Res({ passthrough: true })(target, key, RESPONSE_AT);
}

/** Whether the parameter at this index is one of these two. */
export function isPassedRequest(index: number): boolean {
  return index >= REQUEST_AT;
}

/** @throws AsyncEndpointsError `INVALID_ENDPOINT` with more parameters than there is room for */
export function refuseParameters(where: string, parameters: number): void {
  if (parameters > REQUEST_AT) throw invalidEndpoint(`${where} has more than ${REQUEST_AT} parameters.`);
}

/**
 * The endpoint of this name in a controller. A decorator above `@AsyncEndpoint` may have wrapped it in a function that does not
 * pass on request and response. Then the endpoint is put around that function and submits what it returns.
 *
 * @throws AsyncEndpointsError `INVALID_ENDPOINT`
 */
export function findEndpoint(prototype: object, key: string): EndpointMetadata | undefined {
  const owner = ownerOf(prototype, key);
  const metadata = owner && (Reflect.getOwnMetadata(ENDPOINT_METADATA, owner, key) as EndpointMetadata | undefined);
  if (!metadata) return undefined;
  const current = (owner as Record<string, Method>)[key] as Method;
  if (endpoints.has(current)) return { ...metadata, endpoint: current };
  if (!endpoints.has(metadata.endpoint)) throw ofAnotherCopy(`${owner.constructor.name}.${key}`);
  const endpoint = endpointMethod(metadata, current, metadata.parameters);
  copyMetadata(metadata.endpoint, endpoint);
  copyMetadata(current, endpoint);
  Object.defineProperty(owner, key, { value: endpoint, writable: true, enumerable: false, configurable: true });
  return { ...metadata, endpoint };
}

function ofAnotherCopy(where: string): AsyncEndpointsError {
  return invalidEndpoint(
    `${where} has the @AsyncEndpoint of another copy of nestjs-async-endpoints than AsyncEndpointsModule. See npm ls ` +
      'nestjs-async-endpoints, and install it once.',
  );
}

/** Merges lists, such as guards, and objects, such as OpenAPI responses, into those that are there. Other values replace them. */
export function copyMetadata(from: object, to: object): void {
  for (const key of Reflect.getMetadataKeys(from) as unknown[]) {
    Reflect.defineMetadata(key, merged(Reflect.getMetadata(key, to), Reflect.getMetadata(key, from)), to);
  }
}

function merged(known: unknown, added: unknown): unknown {
  if (Array.isArray(known) && Array.isArray(added)) return [...new Set<unknown>([...known, ...(added as unknown[])])];
  const areObjects = [known, added].every((value) => typeof value === 'object' && value !== null);
  return areObjects ? { ...(known as object), ...(added as object) } : added;
}

function ownerOf(prototype: object, key: string): object | null {
  let owner: object | null = prototype;
  while (owner && !Object.hasOwn(owner, key)) owner = Object.getPrototypeOf(owner) as object | null;
  return owner;
}
