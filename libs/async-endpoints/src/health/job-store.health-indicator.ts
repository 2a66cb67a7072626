import { Inject, Injectable, Logger } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { logError } from '../events/error-text.js';
import { AsyncEndpointsError, ERROR_CODES } from '../job/errors.js';
import { OPTIONS, type ResolvedOptions } from '../options/options.js';
import { JobStore } from '../store/job-store.js';
import { depthOf, isFull, pausedNames, unhandledNames } from '../store/verbs.js';
import { JobWorker } from '../worker/job-worker.js';
import { Wait } from '../worker/loop.js';

const ACCESSIBLE = 'AsyncEndpoints job store is accessible';
const MOST_NAMES = 20;
const NOT_ACCESSIBLE = 'AsyncEndpoints job store is not accessible';

/** Whether the job store answers, and whether this process should be sent requests. */
@Injectable()
export class JobStoreHealthIndicator {
  readonly #logger = new Logger('AsyncEndpoints');

  constructor(
    @Inject(HealthIndicatorService) private readonly health: HealthIndicatorService,
    @Inject(JobStore) private readonly store: JobStore,
    @Inject(JobWorker) private readonly worker: JobWorker,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Up when the store answers within `timeoutMs` and accepts changes. */
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
   * Up when this process should be sent requests: the store answers within `timeoutMs`, and the process is not shutting
   * down. The details tell how many jobs wait (`queueDepth`), whether the queue is full (`queueFull`),
   * which names are paused (`paused`) and of which names jobs wait that no live worker handles (`unhandled`; the first 20 of each). A full queue is
   * no reason to send requests elsewhere: no other process could accept more, and all can answer for the jobs there are.
   * A store that is full or accepts no changes still answers what clients ask of their jobs, so that it only shows in the
   * message.
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

  /** @param probe answers the details */
  async #check<TKey extends string>(
    key: TKey,
    timeoutMs: number,
    probe: () => Promise<Record<string, unknown>>,
  ): Promise<HealthIndicatorResult<TKey>> {
    const check = this.health.check(key);
    const deadline = new Wait(timeoutMs);
    try {
      const late = deadline.ended.then(() => Promise.reject(new Error(`No answer within ${timeoutMs} ms`)));
      return check.up(await Promise.race([probe(), late]));
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal !== null) return check.down({ message: refusal });
      logError(this.#logger, 'AsyncEndpoints health check failed', error);
      return check.down({ message: explanationIn(error) ?? NOT_ACCESSIBLE });
    } finally {
      deadline.end();
    }
  }
}

/** What a store says that answers and refuses changes; it tells the log itself, once. Null for any other error. */
function refusalOf(error: unknown): string | null {
  const { code, message } = error instanceof AsyncEndpointsError ? error : { code: null, message: '' };
  return code === 'STORE_FULL' || code === 'STORE_READ_ONLY' ? message : null;
}

/** What a store says of why it cannot be reached, if it says more than that. */
function explanationIn(error: unknown): string | null {
  if (!(error instanceof AsyncEndpointsError) || error.message === ERROR_CODES[error.code]) return null;
  return error.message;
}

function refusalIn(error: unknown): string {
  const refusal = refusalOf(error);
  if (refusal === null) throw error;
  return refusal;
}
