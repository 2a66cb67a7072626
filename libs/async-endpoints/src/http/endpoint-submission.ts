import { Inject, Injectable } from '@nestjs/common';
import { isObservable, lastValueFrom } from 'rxjs';
import { fingerprint } from '../fingerprint.js';
import type { JobDefinition } from '../job/define-job.js';
import { AsyncEndpointsError } from '../job/errors.js';
import { parseJobId } from '../job/job-id.js';
import { JobManager, type SubmittedJob } from '../job-manager.js';
import { type HttpRequest, OPTIONS, type ResolvedOptions } from '../options.js';
import { snapshot } from './request-snapshot.js';
import { Responder } from './responder.js';

/** What happens in an async endpoint once guards and pipes have let the request through. */
@Injectable()
export class EndpointSubmission {
  #stopping = false;

  constructor(
    @Inject(JobManager) private readonly jobs: JobManager,
    @Inject(Responder) private readonly responder: Responder,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** From now on requests are refused; application code may go on submitting. */
  stop(): void {
    this.#stopping = true;
  }

  /** @param produce the controller's method; what it throws is not ours to answer */
  async answer(job: JobDefinition, request: unknown, response: unknown, produce: () => unknown): Promise<unknown> {
    const http = request as HttpRequest;
    const id = await this.#orRefuse(http, () => this.#admit(http));
    const produced = produce();
    const payload = isObservable(produced)
      ? await lastValueFrom(produced, { defaultValue: undefined })
      : await produced;
    const submitted = await this.#orRefuse(http, () => this.#submit(job, payload, http, id));
    return this.responder.send(response, await this.responder.submitted(submitted, http));
  }

  #admit(request: HttpRequest): string | undefined {
    if (this.#stopping) throw new AsyncEndpointsError('SHUTTING_DOWN');
    const header = request.headers['x-async-request-id'];
    if (header === undefined) return undefined;
    const id = parseJobId(String(header));
    if (id === null) throw new AsyncEndpointsError('INVALID_REQUEST_ID');
    return id;
  }

  async #submit(job: JobDefinition, payload: unknown, request: HttpRequest, id?: string): Promise<SubmittedJob> {
    const { owner, captureHeaders } = this.options.http;
    return this.jobs.submit(job, payload, {
      id,
      fingerprint: id === undefined ? undefined : fingerprintOf(request),
      owner: owner ? await owner(request) : null,
      snapshot: snapshot(request, captureHeaders),
    });
  }

  async #orRefuse<T>(request: HttpRequest, step: () => T | Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      throw await this.responder.refusal(error, request, 'submission');
    }
  }
}

/** Of what the client sent, not of what the method made of it, which may differ each time. Uploads are known later. */
function fingerprintOf({ body, params, query, headers }: HttpRequest): string | undefined {
  if (String(headers['content-type']).startsWith('multipart/')) return undefined;
  return fingerprint([body instanceof Uint8Array ? fingerprint(body) : body, params, query]);
}
