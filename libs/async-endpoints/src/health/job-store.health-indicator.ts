import { Inject, Injectable, Logger } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { OPTIONS, type ResolvedOptions } from '../options.js';
import { depthOf } from '../store/depth.js';
import { JobStore } from '../store/job-store.js';
import { Wait } from '../wait.js';
import { JobWorker } from '../worker/job-worker.js';

const ACCESSIBLE = 'AsyncEndpoints job store is accessible';
const NOT_ACCESSIBLE = 'AsyncEndpoints job store is not accessible';

/** Whether the job store answers, and whether it should be given more. */
@Injectable()
export class JobStoreHealthIndicator {
  readonly #logger = new Logger('AsyncEndpoints');

  constructor(
    @Inject(HealthIndicatorService) private readonly health: HealthIndicatorService,
    @Inject(JobStore) private readonly store: JobStore,
    @Inject(JobWorker) private readonly worker: JobWorker,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Up when the store answers within `timeoutMs`. */
  async isHealthy<const TKey extends string = 'asyncendpoints'>(
    key = 'asyncendpoints' as TKey,
    { timeoutMs = 5_000 } = {},
  ): Promise<HealthIndicatorResult<TKey>> {
    return this.#check(key, timeoutMs, async () => {
      await this.store.ping();
      return null;
    });
  }

  /**
   * Up when this process should be sent requests: the store answers within `timeoutMs`, fewer jobs wait than may, and
   * the process is not shutting down.
   */
  async isReady<const TKey extends string = 'asyncendpoints'>(
    key = 'asyncendpoints' as TKey,
    { timeoutMs = 5_000 } = {},
  ): Promise<HealthIndicatorResult<TKey>> {
    if (this.worker.isStopping) return this.health.check(key).down({ message: 'The application is shutting down' });
    return this.#check(key, timeoutMs, async () => {
      const depth = depthOf(await this.store.stats());
      return depth < this.options.jobs.maximumQueueSize ? null : 'The queue is full';
    });
  }

  /** @param probe answers what is wrong, or null */
  async #check<TKey extends string>(
    key: TKey,
    timeoutMs: number,
    probe: () => Promise<string | null>,
  ): Promise<HealthIndicatorResult<TKey>> {
    const check = this.health.check(key);
    const deadline = new Wait(timeoutMs);
    try {
      const late = deadline.ended.then(() => Promise.reject(new Error(`No answer within ${timeoutMs} ms`)));
      const problem = await Promise.race([probe(), late]);
      return problem === null ? check.up({ message: ACCESSIBLE }) : check.down({ message: problem });
    } catch (error) {
      this.#logger.error('AsyncEndpoints health check failed', error);
      return check.down({ message: NOT_ACCESSIBLE });
    } finally {
      deadline.end();
    }
  }
}
