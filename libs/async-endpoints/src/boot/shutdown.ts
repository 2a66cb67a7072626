import { Inject, Logger, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';
import { logError } from '../events/error-text.js';
import { HttpShutdown } from '../http/shutdown.js';
import { OPTIONS, type ResolvedOptions, ROLE, type Role } from '../options/options.js';
import { JobStore } from '../store/job-store.js';
import { depthOf } from '../store/verbs.js';
import { MemoryJobStore } from '../stores/memory/memory-job-store.js';
import { JobWorker } from '../worker/job-worker.js';
import { Wait } from '../worker/loop.js';

/** Long enough for `enableShutdownHooks()` to follow `createApplicationContext()`. */
const SHUTDOWN_HOOKS_CHECK_MS = 1_000;
/** Less than that of any other module: Nest counts from 0, and gives global modules the largest number. */
const SMALLEST_DISTANCE = -1;

/**
 * What runs while the application does: starts after everything else, and stops before it. Nest bootstraps modules by falling
 * `distance` and destroys them by rising `distance`, one after the other. With the smallest distance, running jobs are drained
 * before any provider that a handler depends on is destroyed (docs/decisions/0057).
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
    this.#logger.warn('Call app.enableShutdownHooks(), or SIGTERM will end this process in the middle of its jobs.');
  }

  async #warnOfLoss(store: JobStore): Promise<void> {
    // A store that is closed already, as when an application is closed twice, loses nothing more.
    const count = depthOf(await store.stats().catch(() => []));
    if (count > 0) this.#logger.warn(`${count} waiting jobs end with this process: they are in its memory only.`);
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
 * Calls the listener the moment SIGTERM arrives, whatever the hooks of other modules wait for. It listens only where
 * somebody else does too: a listener alone would keep the signal from ending the process.
 */
export class ShutdownSignal {
  constructor(private readonly listener: () => void) {}

  /** Whether anybody listens. May be called again: the application's listener may come later than we do. */
  open(): boolean {
    this.close();
    if (process.listenerCount('SIGTERM') === 0) return false;
    // Once: Nest sends the signal anew at the end, and that one must end the process.
    process.once('SIGTERM', this.listener);
    return true;
  }

  close(): void {
    process.off('SIGTERM', this.listener);
  }
}

/** Twice as long as a call to Redis may take. */
const LAST_CALL_MS = 10_000;

/**
 * Waits for a call to the store at shutdown, which may be one of the application's own: no longer than 10 s, and whatever it
 * throws, so that the rest of the application is closed. Then a line in the log says so.
 */
export async function lastCall(purpose: string, call: Promise<void>): Promise<void> {
  const deadline = new Wait(LAST_CALL_MS);
  const late = deadline.ended.then(() => Promise.reject(new Error(`It has not answered within ${LAST_CALL_MS} ms.`)));
  try {
    await Promise.race([call, late]);
  } catch (error) {
    logError(new Logger('AsyncEndpoints'), `The job store was asked to ${purpose}, and did not`, error);
  } finally {
    late.catch(() => {});
    deadline.end();
  }
}
