import { Inject, Logger, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';
import { HttpShutdown } from './http/http-shutdown.js';
import { lastCall } from './last-call.js';
import { OPTIONS, type ResolvedOptions, ROLE, type Role } from './options.js';
import { ShutdownSignal } from './shutdown-signal.js';
import { depthOf } from './store/depth.js';
import { JobStore } from './store/job-store.js';
import { MemoryJobStore } from './store/memory/memory-job-store.js';
import { JobWorker } from './worker/job-worker.js';

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
