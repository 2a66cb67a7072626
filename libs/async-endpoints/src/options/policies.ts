import { Inject, Injectable } from '@nestjs/common';
import type { JobDefinition } from '../job/define-job.js';
import { type JobPolicy, OPTIONS, type ResolvedOptions } from './options.js';
import { resolveJobPolicy } from './resolve.js';

/** The options of each job name: those of the module, overridden by the job definition. */
@Injectable()
export class JobPolicies {
  readonly #byDefinition = new WeakMap<JobDefinition, JobPolicy>();
  readonly #byName = new Map<string, JobPolicy>();

  constructor(@Inject(OPTIONS) private readonly options: ResolvedOptions) {}

  /** Every job name that this process knows: from its handlers, its endpoints and its submissions. */
  get names(): string[] {
    return [...this.#byName.keys()];
  }

  /** The queue limits of all names together. */
  get queueLimits(): { queueLimit: number; queueBytes: number } {
    const { maxQueueSize: queueLimit, maxQueueBytes: queueBytes } = this.options.jobs;
    return { queueLimit, queueBytes };
  }

  /**
   * The options of a job. For a name, they are those of the handler or endpoint with this name, or the defaults.
   *
   * @throws AsyncEndpointsError `INVALID_OPTION`
   */
  of(job: JobDefinition | string): JobPolicy {
    if (typeof job === 'string') return this.#byName.get(job) ?? this.of({ name: job, options: {} });
    let policy = this.#byDefinition.get(job);
    if (!policy) {
      policy = resolveJobPolicy(job, this.options.jobs);
      this.#byDefinition.set(job, policy);
      this.#byName.set(job.name, policy);
    }
    return policy;
  }
}
