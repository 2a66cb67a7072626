import { Inject, Injectable, Logger } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { logError } from '../events/error-text.js';
import { checkDuration } from '../job/bounds.js';
import { AsyncEndpointsError, ERROR_CODES } from '../job/errors.js';
import { OPTIONS, type ResolvedOptions } from '../options/options.js';
import { inTime } from '../store/in-time.js';
import { JobStore } from '../store/job-store.js';
import { depthOf, isFull, pausedNames, unhandledNames } from '../store/queue-stats.js';
import { JobWorker } from '../worker/job-worker.js';

const ACCESSIBLE = 'AsyncEndpoints job store is accessible';
const MOST_NAMES = 20;
const NOT_ACCESSIBLE = 'AsyncEndpoints job store is not accessible';

/** Checks the job store, and whether this process should receive requests. */
@Injectable()
export class JobStoreHealthIndicator {
  readonly #logger = new Logger('AsyncEndpoints');
  #isFailing = false;

  constructor(
    @Inject(HealthIndicatorService) private readonly health: HealthIndicatorService,
    @Inject(JobStore) private readonly store: JobStore,
    @Inject(JobWorker) private readonly worker: JobWorker,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Up when the store replies within `timeoutMs` and accepts changes. */
  async isHealthy<const TKey extends string = 'asyncendpoints'>(
    key = 'asyncendpoints' as TKey,
    { timeoutMs = 5_000 } = {},
  ): Promise<HealthIndicatorResult<TKey>> {
    return this.#check(key, timeoutMs, async () => {
      await this.store.ping();
      return { message: ACCESSIBLE };
    });
  }

  /**
   * Up when this process should receive requests: the store replies within `timeoutMs`, and the process does not shut down. The
   * details are the number of waiting jobs (`queueDepth`), whether the queue is full (`queueFull`), the paused names (`paused`),
   * and the names with waiting jobs that no live worker handles (`unhandled`); the first 20 names of each. A full queue does not
   * make the process unready: no other process could accept more jobs, and this one can still answer status requests. The same
   * holds for a store that is full or read-only, which only changes the message.
   */
  async isReady<const TKey extends string = 'asyncendpoints'>(
    key = 'asyncendpoints' as TKey,
    { timeoutMs = 5_000 } = {},
  ): Promise<HealthIndicatorResult<TKey>> {
    if (this.worker.isStopping) return this.health.check(key).down({ message: 'The application is shutting down' });
    return this.#check(key, timeoutMs, async () => {
      const [stats, workers] = await Promise.all([this.store.stats(), this.store.workers()]);
      const refusal = await this.store.ping().then(() => null, refusalIn);
      const queueFull = isFull(stats, this.options.jobs);
      const paused = pausedNames(stats).slice(0, MOST_NAMES);
      const unhandled = unhandledNames(stats, workers).slice(0, MOST_NAMES);
      return { message: refusal ?? ACCESSIBLE, queueDepth: depthOf(stats), queueFull, paused, unhandled };
    });
  }

  /** @param probe returns the details */
  async #check<TKey extends string>(
    key: TKey,
    timeoutMs: number,
    probe: () => Promise<Record<string, unknown>>,
  ): Promise<HealthIndicatorResult<TKey>> {
    const check = this.health.check(key);
    checkDuration('timeoutMs', timeoutMs);
    try {
      const details = await inTime(probe(), timeoutMs);
      this.#isFailing = false;
      return check.up(details);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal !== null) return check.down({ message: refusal });
      // Probes repeat every few seconds: the first failure of an outage is enough.
      if (!this.#isFailing) logError(this.#logger, 'The health check of the job store failed', error);
      this.#isFailing = true;
      return check.down({ message: explanationIn(error) ?? NOT_ACCESSIBLE });
    }
  }
}

/** The message of a store that replies but refuses changes, which the store itself logs once. Null for any other error. */
function refusalOf(error: unknown): string | null {
  const { code, message } = error instanceof AsyncEndpointsError ? error : { code: null, message: '' };
  return code === 'STORE_FULL' || code === 'STORE_READ_ONLY' ? message : null;
}

/** The reason why a store cannot be reached, if the error has one. */
function explanationIn(error: unknown): string | null {
  if (!(error instanceof AsyncEndpointsError) || error.message === ERROR_CODES[error.code]) return null;
  return error.message;
}

function refusalIn(error: unknown): string {
  const refusal = refusalOf(error);
  if (refusal === null) throw error;
  return refusal;
}
