import { Inject, Injectable } from '@nestjs/common';
import type { JobDefinition } from '../job/define-job.js';
import { type JobPolicy, OPTIONS, type ResolvedOptions } from './options.js';
import { resolveJobPolicy } from './resolve.js';

/** What holds for each kind of job: the module's options, overridden by its definition. */
@Injectable()
export class JobPolicies {
  readonly #byDefinition = new WeakMap<JobDefinition, JobPolicy>();
  readonly #byName = new Map<string, JobPolicy>();

  constructor(@Inject(OPTIONS) private readonly options: ResolvedOptions) {}

  /** Every job name that this process knows: of its handlers, its endpoints and what it has submitted. */
  get names(): string[] {
    return [...this.#byName.keys()];
  }

  /** The queue limits of all names together. */
  get queueLimits(): { queueLimit: number; queueBytes: number } {
    const { maxQueueSize: queueLimit, maxQueueBytes: queueBytes } = this.options.jobs;
    return { queueLimit, queueBytes };
  }

  /**
   * A name alone means what the application's handlers and endpoints have defined under it, or else the defaults.
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
