import { Inject, Injectable } from '@nestjs/common';
import { AsyncEndpointsError } from '../job/errors.js';
import type { Job } from '../job/job.js';
import { parseJobId } from '../job/job-id.js';
import { JobManager } from '../job-manager.js';
import { type HttpRequest, OPTIONS, type Reply, type ResolvedOptions } from '../options.js';
import { Responder } from './responder.js';

/** Answers the status routes. A job of another owner is answered exactly as one that does not exist. */
@Injectable()
export class JobMonitor {
  constructor(
    @Inject(JobManager) private readonly jobs: JobManager,
    @Inject(Responder) private readonly responder: Responder,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  status(id: string, request: HttpRequest, response: unknown): Promise<unknown> {
    return this.#answer(request, response, async () => this.responder.status(await this.#find(id, request), request));
  }

  result(id: string, request: HttpRequest, response: unknown): Promise<unknown> {
    return this.#answer(request, response, async () => this.responder.result(await this.#find(id, request), request));
  }

  cancel(id: string, request: HttpRequest, response: unknown): Promise<unknown> {
    return this.#answer(request, response, async () => {
      const { id: found } = await this.#find(id, request);
      return this.responder.status(await this.jobs.cancel(found), request);
    });
  }

  async #find(text: string, request: HttpRequest): Promise<Job> {
    const id = parseJobId(text);
    if (id === null) throw new AsyncEndpointsError('INVALID_JOB_ID');
    const { owner } = this.options.http;
    const [job, principal] = await Promise.all([this.jobs.find(id), owner?.(request)]);
    if (!job || (owner && job.owner !== (principal ?? null))) throw new AsyncEndpointsError('JOB_NOT_FOUND');
    return job;
  }

  async #answer(request: HttpRequest, response: unknown, answer: () => Promise<Reply>): Promise<unknown> {
    try {
      return this.responder.send(response, await answer());
    } catch (error) {
      throw await this.responder.refusal(error, request, 'status');
    }
  }
}
