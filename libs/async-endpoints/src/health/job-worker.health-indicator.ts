import { Inject, Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { OPTIONS, type ResolvedOptions } from '../options/options.js';
import { JobWorker } from '../worker/job-worker.js';

/** Checks that the claim loop of the worker still runs. An unreachable store does not stop the loop, so it causes no restart. */
@Injectable()
export class JobWorkerHealthIndicator {
  constructor(
    @Inject(HealthIndicatorService) private readonly health: HealthIndicatorService,
    @Inject(JobWorker) private readonly worker: JobWorker,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * Up when the loop made a turn within `maxAgeMs` (default: ten polling intervals, at least 30,000), when this process has no
   * worker, and during the shutdown.
   */
  async isHealthy<const TKey extends string = 'worker'>(
    key = 'worker' as TKey,
    { maxAgeMs = Math.max(10 * this.options.worker.pollingIntervalMs, 30_000) } = {},
  ): Promise<HealthIndicatorResult<TKey>> {
    const check = this.health.check(key);
    const { isStarted, isStopping, running, lastTurnAgeMs } = this.worker;
    if (!isStarted || isStopping) return check.up({ running });
    const facts = { running, lastTurnAgeMs: Math.round(lastTurnAgeMs) };
    return lastTurnAgeMs <= maxAgeMs ? check.up(facts) : check.down(facts);
  }
}
