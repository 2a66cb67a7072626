import { Inject, Logger, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';
import { logError } from '../events/error-text.js';
import { HttpShutdown } from '../http/shutdown.js';
import { OPTIONS, type ResolvedOptions, ROLE, type Role } from '../options/options.js';
import { endsWithin } from '../store/in-time.js';
import { JobStore } from '../store/job-store.js';
import { depthOf } from '../store/queue-stats.js';
import { MemoryJobStore } from '../stores/memory/memory-job-store.js';
import { JobWorker } from '../worker/job-worker.js';

/** The delay of the check, so that `enableShutdownHooks()` can follow `createApplicationContext()`. */
const SHUTDOWN_HOOKS_CHECK_MS = 1_000;
/** Smaller than the distance of any other module. Nest counts from 0, and gives global modules the largest number. */
const SMALLEST_DISTANCE = -1;

/**
 * Starts after all other modules, and stops before them. Nest bootstraps modules by descending `distance` and destroys them by
 * ascending `distance`, one after the other. With the smallest distance, running jobs are drained before a dependency of a
 * handler is destroyed (docs/decisions/0057).
 */
@Module({})
export class RuntimeModule implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #logger = new Logger('AsyncEndpoints');
  readonly #signal = new ShutdownSignal(() => this.#beginShutdown());
  #hooksCheck: NodeJS.Timeout | undefined;

  constructor(
    @Inject(ModulesContainer) modules: ModulesContainer,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
  ) {
    for (const module of modules.values()) {
      if (module.metatype === RuntimeModule) module.distance = SMALLEST_DISTANCE;
    }
  }

  async onApplicationBootstrap(): Promise<void> {
    this.#signal.open();
    this.#http.open();
    this.#hooksCheck = setTimeout(() => this.#warnWithoutShutdownHooks(), SHUTDOWN_HOOKS_CHECK_MS).unref();
    const { autoStart } = this.#get<ResolvedOptions>(OPTIONS).worker;
    if (autoStart && this.#get<Role>(ROLE) !== 'api') await this.#worker.start();
  }

  async onModuleDestroy(): Promise<void> {
    clearTimeout(this.#hooksCheck);
    this.#signal.close();
    this.#beginShutdown();
    await Promise.all([this.#worker.drain(), this.#http.leave()]);
    await this.#http.endHeldAnswers();
    this.#http.closeStuck();
    const store = this.#get<JobStore>(JobStore);
    if (store instanceof MemoryJobStore) await lastCall('count its jobs', this.#warnOfLoss(store));
  }

  #beginShutdown(): void {
    this.#worker.stopClaiming();
    void this.#http.leave();
  }

  #warnWithoutShutdownHooks(): void {
    if (this.#signal.open()) return;
    this.#logger.warn('Call app.enableShutdownHooks(). Without it, SIGTERM interrupts running jobs.');
  }

  async #warnOfLoss(store: JobStore): Promise<void> {
    // When the application is closed twice, the store is already closed, and nothing more is lost.
    const count = depthOf(await store.stats().catch(() => []));
    if (count > 0) this.#logger.warn(`${count} waiting jobs are lost with this process: they are in its memory only.`);
  }

  get #worker(): JobWorker {
    return this.#get<JobWorker>(JobWorker);
  }

  get #http(): HttpShutdown {
    return this.#get<HttpShutdown>(HttpShutdown);
  }

  #get<T>(token: Parameters<ModuleRef['get']>[0]): T {
    return this.moduleRef.get<T>(token, { strict: false });
  }
}

/**
 * Calls the listener as soon as SIGTERM arrives, before the shutdown hooks of other modules. It listens only when there is
 * another listener for SIGTERM: as the only one it would keep the signal from ending the process.
 */
export class ShutdownSignal {
  constructor(private readonly listener: () => void) {}

  /** Returns whether SIGTERM has another listener. May be called again, because the application may add its listener later. */
  open(): boolean {
    this.close();
    if (process.listenerCount('SIGTERM') === 0) return false;
    // `once`: Nest sends the signal again at the end, and that one must end the process.
    process.once('SIGTERM', this.listener);
    return true;
  }

  close(): void {
    process.off('SIGTERM', this.listener);
  }
}

/** Twice the deadline of a call to Redis. */
const LAST_CALL_MS = 10_000;

/**
 * Waits for a call to the store at shutdown, for at most 10 s. The store may be a custom one, so a late or failed call is only
 * logged, and the rest of the application is closed.
 */
export async function lastCall(purpose: string, call: Promise<void>): Promise<void> {
  try {
    if (!(await endsWithin(LAST_CALL_MS, call))) throw new Error(`It has not answered within ${LAST_CALL_MS} ms.`);
  } catch (error) {
    logError(new Logger('AsyncEndpoints'), `The job store did not ${purpose}`, error);
  }
}
