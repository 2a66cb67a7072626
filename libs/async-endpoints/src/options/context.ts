import type { CarriedValues } from '../job/job.js';
import type { HttpRequest } from './response.js';
import { hook, namesToCarry, option, type OptionsOf } from './rules.js';

type Read = (name: string, request?: HttpRequest) => unknown;
type Run = (values: CarriedValues, work: () => Promise<unknown>) => unknown;

/** Carries values from the code that submits a job to the handler that runs it: tenant, user, locale. */
export const CONTEXT = {
  /** The names of the values. A name of a credential, such as `token`, is refused at boot. Default none. */
  names: option(() => [], namesToCarry()),
  /**
   * Reads one value when a job is submitted, in the async context of the submitting code; returns `undefined` for none. The
   * value is stored with the job as JSON. Its second argument is the request of an async endpoint, or undefined when code calls
   * `JobManager.submit`. Required when there are names.
   */
  read: option(() => undefined, hook<Read>()),
  /**
   * Calls `work`, which runs the handler, in an async context with these values: for nestjs-cls
   * `(values, work) => cls.runWith(values, work)`. Default: the values are in `JobContext.values` only.
   */
  run: option(() => undefined, hook<Run>()),
};

export type ContextOptions = OptionsOf<typeof CONTEXT>;
