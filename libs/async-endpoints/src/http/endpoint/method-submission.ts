import { isObservable, lastValueFrom } from 'rxjs';
import { decodeJob } from '../../job/decode-job.js';
import { AsyncEndpointsError, invalidEndpoint } from '../../job/errors.js';
import type { JobRecord, SubmittedJob } from '../../job/job.js';
import type { Accepted } from '../../jobs/job-records.js';
import { withoutTransaction } from '../../jobs/submit-within.js';
import type { EndpointSubmitOptions } from './submit-job.js';

interface Options {
  /** Controller and method, for messages. */
  readonly where: string;
  submit(payload: unknown, options: EndpointSubmitOptions): Promise<Accepted>;
  find(id: string): Promise<JobRecord | null>;
}

/** How the last call of `submit` ended. */
type End =
  { readonly accepted: Accepted; readonly isWithin: boolean; readonly at: number } | { readonly error: unknown };

/**
 * The one job that a method with `@SubmitJob()` submits for a request. The method may call `submit` again when its transaction was
 * rolled back and is repeated.
 */
export class MethodSubmission {
  #running: Promise<unknown> | undefined;
  #end: End | undefined;
  /** What `submit` accepted, also when it was rolled back afterwards. */
  #created: JobRecord | undefined;
  /** The accepted job of an earlier request. */
  #earlier: Accepted | undefined;
  #hasReturned = false;
  /** What `submit` rejected with. */
  readonly #errors = new Set<unknown>();

  constructor(private readonly options: Options) {}

  readonly submit = (payload: unknown, options: EndpointSubmitOptions = {}): Promise<SubmittedJob> => {
    const submitted = this.#submit(payload, options);
    // Also so that a method that does not await it does not end the process.
    submitted.catch((error: unknown) => this.#errors.add(error));
    return submitted;
  };

  /** @throws what the method throws, unless that is the error of `submit` */
  async run(method: (submit: MethodSubmission['submit']) => unknown): Promise<void> {
    let failed: End | undefined;
    try {
      await valueOf(method(this.submit));
    } catch (error) {
      if (!this.#errors.has(error)) throw error;
      failed = { error };
    }
    this.#hasReturned = true;
    await this.#running?.catch(() => {});
    if (failed) this.#end = failed;
  }

  /**
   * The job, after `run`.
   *
   * @throws AsyncEndpointsError as `submit` did, or `INVALID_ENDPOINT` when there is no job
   */
  async accepted(): Promise<Accepted> {
    if (this.#earlier) return this.#earlier;
    if (!this.#end) throw this.#misuse('returned without a call of submit');
    if ('error' in this.#end) throw withoutTransaction(this.#end.error);
    const { accepted, isWithin, at } = this.#end;
    if (!isWithin) return accepted;
    const job = await this.options.find(accepted.id);
    if (!job && !mayBePurged(accepted.job, performance.now() - at))
      throw this.#misuse('submitted a job in a transaction that has not committed when the method returned');
    return accepted; // as it was submitted: a worker may have completed the job before it was read
  }

  async #submit(payload: unknown, options: EndpointSubmitOptions): Promise<SubmittedJob> {
    if (this.#hasReturned) throw this.#misuse('called submit after it had returned; await it');
    if (this.#running) throw this.#misuse('called submit while another call of it was running; await it');
    const running = this.#once(payload, options);
    this.#running = running;
    try {
      return await running;
    } finally {
      this.#running = undefined;
    }
  }

  async #once(payload: unknown, options: EndpointSubmitOptions): Promise<SubmittedJob> {
    const at = performance.now();
    this.#earlier = undefined;
    try {
      const accepted = await this.options.submit(payload, options);
      if (accepted.replayed) throw this.#known(accepted);
      this.#created = accepted.job;
      this.#end = { accepted, isWithin: options.within !== undefined, at };
      return Object.assign(decodeJob(accepted.job), { replayed: false });
    } catch (error) {
      this.#end = { error };
      throw error;
    }
  }

  /** The same request was accepted before, or this is the second job of this request. */
  #known(accepted: Accepted): AsyncEndpointsError {
    const { id, createdAt } = accepted.job;
    if (this.#created?.id === id && this.#created.createdAt === createdAt)
      return this.#misuse(
        'called submit again after its job was submitted; a request has one job, JobManager submits more',
      );
    this.#earlier = accepted;
    return new AsyncEndpointsError('ALREADY_SUBMITTED');
  }

  #misuse(what: string): AsyncEndpointsError {
    return invalidEndpoint(`${this.options.where} ${what}.`);
  }
}

/** The return value of a method: a value, a promise or an Observable. */
export function valueOf(produced: unknown): unknown {
  return isObservable(produced) ? lastValueFrom(produced, { defaultValue: undefined }) : produced;
}

/** Whether a job that is not found may have run and been deleted. */
function mayBePurged({ retention }: JobRecord, elapsedMs: number): boolean {
  return elapsedMs >= Math.min(retention.completedMs, retention.failedMs, retention.canceledMs);
}
