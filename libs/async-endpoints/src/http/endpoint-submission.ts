import { Inject, Injectable } from '@nestjs/common';
import { catchError, isObservable, lastValueFrom, mergeMap, of } from 'rxjs';
import { fingerprint } from '../fingerprint.js';
import type { JobDefinition } from '../job/define-job.js';
import { AsyncEndpointsError } from '../job/errors.js';
import { isTerminal, type SubmittedJob } from '../job/job.js';
import { parseJobId } from '../job/job-id.js';
import { JobManager } from '../job-manager.js';
import { type HttpRequest, OPTIONS, type ResolvedOptions } from '../options.js';
import { HttpShutdown } from './http-shutdown.js';
import { idempotencyKeyOf } from './idempotency-key.js';
import { JobWaits } from './job-waits.js';
import { preferencesOf } from './preferences.js';
import { principalOf } from './principal.js';
import { isReadLater } from './request-body.js';
import { type CapturedHeader, snapshot } from './request-snapshot.js';
import { Responder } from './responder.js';

interface Admission {
  readonly id?: string;
  readonly idempotencyKey?: string;
}

/** What happens in an async endpoint once guards and pipes have let the request through. */
@Injectable()
export class EndpointSubmission {
  readonly #captured: readonly CapturedHeader[];

  constructor(
    @Inject(JobManager) private readonly jobs: JobManager,
    @Inject(Responder) private readonly responder: Responder,
    @Inject(JobWaits) private readonly waits: JobWaits,
    @Inject(HttpShutdown) private readonly shutdown: HttpShutdown,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {
    this.#captured = options.http.captureHeaders.map((name) => ({ name, key: name.toLowerCase() }));
  }

  /**
   * Answers with the body; with an Observable of it where the client would wait, for Nest to unsubscribe should it leave.
   *
   * @param produce the controller's method; what it throws is not ours to answer
   */
  async answer(job: JobDefinition, request: unknown, response: unknown, produce: () => unknown): Promise<unknown> {
    const http = request as HttpRequest;
    const refuse = async (error: unknown): Promise<never> => {
      throw await this.responder.refusal(error, http, 'submission', job.name);
    };
    let admission: Admission;
    try {
      admission = this.#admit(http);
    } catch (error) {
      return refuse(error);
    }
    const produced = produce();
    const payload = isObservable(produced)
      ? await lastValueFrom(produced, { defaultValue: undefined })
      : await produced;
    const submitted = await this.#submit(job, payload, http, admission).catch(refuse);
    const preferences = preferencesOf(http, this.options.http.maxWaitSeconds);
    const accept = async (accepted: SubmittedJob) =>
      this.responder.send(response, await this.responder.submitted(accepted, http, preferences));
    if (preferences.wait === null || isTerminal(submitted.status)) return accept(submitted);
    return this.waits.untilEnd(submitted.id, preferences.wait, response).pipe(
      // It is queued, whatever becomes of the wait.
      catchError(() => of(submitted)),
      mergeMap((waited) => accept({ replayed: submitted.replayed, ...waited })),
    );
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

  async #submit(
    job: JobDefinition,
    payload: unknown,
    request: HttpRequest,
    admission: Admission,
  ): Promise<SubmittedJob> {
    const { owner } = this.options.http;
    const { id, idempotencyKey } = admission;
    const mayRepeat = id !== undefined || idempotencyKey !== undefined;
    return this.jobs.submit(job, payload, {
      id,
      idempotencyKey,
      fingerprint: mayRepeat ? fingerprintOf(request) : undefined,
      owner: owner ? await principalOf(owner, request) : null,
      snapshot: snapshot(request, this.#captured),
    });
  }
}

/** Of what the client sent, not of what the method made of it, which may differ each time; unless that is known only later. */
function fingerprintOf(request: HttpRequest): string | undefined {
  if (isReadLater(request)) return undefined;
  const { body, params, query } = request;
  return fingerprint([body instanceof Uint8Array ? fingerprint(body) : body, params, query]);
}
