import { type AsyncEndpointsError, invalidEndpoint } from '../../job/errors.js';
import type { JobDefinition, JobResult, SubmittedPayload } from '../../job/define-job.js';
import type { SubmittedJob } from '../../job/job.js';
import type { SubmitOptions } from '../../jobs/new-job.js';

/** What the method decides about its job. Id, idempotency key, owner, snapshot, trace and context are those of the request. */
export type EndpointSubmitOptions = Pick<
  SubmitOptions,
  'within' | 'delayMs' | 'scheduledAt' | 'priority' | 'maxRetries'
>;

/**
 * Submits the job of an endpoint: the type of a parameter with `@SubmitJob()`. A request submits one job. When the same request was
 * accepted before, it rejects with `ALREADY_SUBMITTED`, so that the transaction of the caller is rolled back.
 *
 * @throws AsyncEndpointsError `ALREADY_SUBMITTED`, `INVALID_ENDPOINT` for a second job, and the errors of `JobManager.submit`
 */
export type Submit<TJob extends JobDefinition> = (
  payload: SubmittedPayload<TJob>,
  options?: EndpointSubmitOptions,
) => Promise<SubmittedJob<JobResult<TJob>>>;

/** On a class under the name of a method: the index of its parameter with `@SubmitJob()`. */
const SUBMIT_PARAMETER = 'nestjs-async-endpoints:submit-parameter';

/**
 * A parameter of an `@AsyncEndpoint` method that submits the job itself, usually in a transaction: `submit(payload, { within: tx })`.
 * The method returns what `submit` resolves to, and the response is that job. When the method throws, Nest handles the exception as
 * usual. A unit test passes a function of its own.
 */
export function SubmitJob(): ParameterDecorator {
  return (target, key, index) => {
    if (key === undefined) throw misplaced(`the constructor of ${(target as { name: string }).name}`);
    if (submitParameterOf(target, key) !== undefined)
      throw invalidEndpoint(`${nameOf(target, key)} has two @SubmitJob() parameters.`);
    Reflect.defineMetadata(SUBMIT_PARAMETER, index, target, key);
  };
}

/** The index of the parameter of this method, not of one that it overrides. */
export function submitParameterOf(target: object, key: string | symbol): number | undefined {
  return Reflect.getOwnMetadata(SUBMIT_PARAMETER, target, key) as number | undefined;
}

/** @throws AsyncEndpointsError `INVALID_ENDPOINT` for a method that nothing would pass the function to */
export function refuseWithoutEndpoint(prototype: object, key: string): void {
  if (Reflect.hasMetadata(SUBMIT_PARAMETER, prototype, key)) throw misplaced(nameOf(prototype, key));
}

function misplaced(where: string): AsyncEndpointsError {
  return invalidEndpoint(`${where} has @SubmitJob(), which needs an @AsyncEndpoint method.`);
}

export function nameOf(target: object, key: string | symbol): string {
  return `${target.constructor.name}.${String(key)}`;
}
