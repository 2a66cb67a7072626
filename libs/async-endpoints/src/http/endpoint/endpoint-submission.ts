import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { catchError, mergeMap } from 'rxjs';
import { carriedValues } from '../../job/credentials.js';
import type { JobDefinition } from '../../job/define-job.js';
import { AsyncEndpointsError } from '../../job/errors.js';
import { newJobId, parseJobId } from '../../job/job-id.js';
import { isTerminal } from '../../job/job.js';
import { type Accepted, JobRecords } from '../../jobs/job-records.js';
import type { SubmitOptions } from '../../jobs/new-job.js';
import { fingerprint } from '../../jobs/payload.js';
import { type HttpRequest, OPTIONS, type ResolvedOptions } from '../../options/options.js';
import { callerOf } from '../reply/principal.js';
import { type Preferences, preferencesOf } from '../reply/request-headers.js';
import { Responder } from '../reply/responder.js';
import type { Route } from '../reply/response-writer.js';
import { HttpShutdown } from '../shutdown.js';
import { JobWaits } from '../waits.js';
import { isReadLater } from './body-read.guard.js';
import { type DeclaredValues, WithheldValues } from './declared-values.js';
import { idempotencyKeyOf, scopedKey } from './idempotency-key.js';
import { MethodSubmission, valueOf } from './method-submission.js';
import { type Captured, snapshot } from './request-snapshot.js';
import type { EndpointSubmitOptions, Submit } from './submit-job.js';

/** The job that an endpoint submits, and the values that it passes. */
export interface SubmittingEndpoint {
  readonly job: JobDefinition;
  readonly values: DeclaredValues;
  /** The index of the parameter with `@SubmitJob()`. */
  readonly submitAt: number | undefined;
}

/** A request to an endpoint, and where its response goes. */
interface EndpointCall {
  readonly request: HttpRequest;
  readonly response: unknown;
  readonly route: Route;
}

interface Admission {
  readonly id?: string;
  readonly idempotencyKey?: string;
}

/** Handles a request to an async endpoint after its guards and pipes. */
@Injectable()
export class EndpointSubmission {
  readonly #captured: Captured;

  constructor(
    @Inject(JobRecords) private readonly jobs: JobRecords,
    @Inject(Responder) private readonly responder: Responder,
    @Inject(JobWaits) private readonly waits: JobWaits,
    @Inject(HttpShutdown) private readonly shutdown: HttpShutdown,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {
    const withheld = new WithheldValues();
    this.#captured = {
      headers: options.http.captureHeaders.map((name) => ({ name, key: name.toLowerCase() })),
      queryParams: new Set(options.http.captureQueryParams),
      onWithheld: (values, option, name) => withheld.warn(values, { option, name }),
    };
  }

  /**
   * Returns the body, or an Observable of it when the client waits: Nest unsubscribes when the client disconnects.
   *
   * @param produce calls the controller's method; Nest handles what it throws
   */
  async answer(
    endpoint: SubmittingEndpoint,
    call: EndpointCall,
    produce: (submit?: Submit<JobDefinition>) => unknown,
  ): Promise<unknown> {
    const { request, response } = call;
    const refusal = (error: unknown) => this.responder.refusal(error, request, 'submission', endpoint.job.name);
    let admission: Admission;
    try {
      admission = this.#admit(request);
    } catch (error) {
      throw await refusal(error);
    }
    const own = endpoint.submitAt === undefined ? null : this.#byMethod(endpoint, request, admission);
    const payload = own ? await own.run(produce) : await valueOf(produce());
    try {
      const submitted = own ? await own.accepted() : await this.#submit(endpoint, payload, request, admission);
      const preferences = preferencesOf(request, this.options.http.maxWaitMs);
      if (preferences.wait === null || isTerminal(submitted.job.status))
        return await this.#accept(submitted, call, preferences);
      return this.waits.until(submitted.job, preferences.wait, response).pipe(
        mergeMap((ended) => this.#accept({ ...submitted, job: ended }, call, preferences)),
        // The job is queued, even when the wait fails.
        catchError(() => this.#accept(submitted, call, { ...preferences, wait: null })),
      );
    } catch (error) {
      throw await refusal(error);
    }
  }

  async #accept(accepted: Accepted, { request, response, route }: EndpointCall, preferences: Preferences) {
    return this.responder.send(response, await this.responder.submitted(accepted, request, preferences), route);
  }

  #admit(request: HttpRequest): Admission {
    if (this.shutdown.isRefusing) throw new AsyncEndpointsError('SHUTTING_DOWN');
    const idempotencyKey = idempotencyKeyOf(request);
    const header = request.headers['x-async-request-id'];
    if (header === undefined) return { idempotencyKey };
    const id = parseJobId(String(header));
    if (id === null) throw new AsyncEndpointsError('INVALID_REQUEST_ID');
    return { id, idempotencyKey };
  }

  #byMethod(endpoint: SubmittingEndpoint, request: HttpRequest, admission: Admission): MethodSubmission {
    // One id for all calls: a transaction that is repeated cannot leave two jobs.
    const admitted = { ...admission, id: admission.id ?? newJobId(randomUUID()) };
    return new MethodSubmission({
      where: endpoint.values.where,
      submit: (payload, options) => this.#submit(endpoint, payload, request, admitted, options),
      find: (id) => this.jobs.find(id),
    });
  }

  async #submit(
    { job, values }: SubmittingEndpoint,
    payload: unknown,
    request: HttpRequest,
    admission: Admission,
    options?: EndpointSubmitOptions,
  ): Promise<Accepted> {
    const { http } = this.options;
    const { names, read } = this.options.context;
    const { id, idempotencyKey: key } = admission;
    const ofRequest: SubmitOptions = {
      id,
      idempotencyKey:
        key && http.idempotencyScope ? scopedKey(await callerOf(http, 'idempotencyScope', request), key) : key,
      fingerprint: () => fingerprintOf(request),
      owner: http.owner ? await callerOf(http, 'owner', request) : null,
      snapshot: snapshot(request, this.#captured, values),
      context: read && carriedValues(names, (name) => read(name, request)),
    };
    return await this.jobs.submit(job, payload, options ? { ...options, ...ofRequest } : ofRequest);
  }
}

/** A digest of the request, not of the payload, which may differ each time. Undefined when the body is read later. */
function fingerprintOf(request: HttpRequest): string | undefined {
  if (isReadLater(request)) return undefined;
  const { body, params, query } = request;
  return fingerprint([body instanceof Uint8Array ? fingerprint(body) : body, params, query]);
}
