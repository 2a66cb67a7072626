import {
  type BeforeApplicationShutdown,
  ConfigurableModuleBuilder,
  type DynamicModule,
  Inject,
  Logger,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { BootCheck } from './boot-check.js';
import { HandlerRegistry } from './handlers/handler-registry.js';
import { EndpointSubmission } from './http/endpoint-submission.js';
import { HttpShutdown } from './http/http-shutdown.js';
import { JobEvents } from './http/job-events.js';
import { JobLinks, STATUS_MODULE } from './http/job-links.js';
import { JobMonitor } from './http/job-monitor.js';
import { JobWaits } from './http/job-waits.js';
import { createJobsController } from './http/jobs.controller.js';
import { endpointLinks } from './http/openapi/endpoint-links.js';
import { Responder } from './http/responder.js';
import { ResponseFactories } from './http/response-factories.js';
import { RetryAfter } from './http/retry-after.js';
import { JobManager } from './job-manager.js';
import { JobPolicies } from './job-policies.js';
import { JobLog } from './observability/logging.js';
import { type AsyncEndpointsExtras, type AsyncEndpointsOptions, OPTIONS, type Role } from './options.js';
import { resolveExtras, resolveOptions } from './resolve-options.js';
import { depthOf } from './store/depth.js';
import { ShutdownSignal } from './shutdown-signal.js';
import { JobStore } from './store/job-store.js';
import { MemoryJobStore } from './store/memory/memory-job-store.js';
import { JobWorker } from './worker/job-worker.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<AsyncEndpointsOptions>({ moduleName: 'AsyncEndpoints' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createAsyncEndpointsOptions')
    .setExtras<AsyncEndpointsExtras>({ isGlobal: true, role: 'all', http: {} })
    .build();

const PARTS = [
  BootCheck,
  EndpointSubmission,
  HandlerRegistry,
  HttpShutdown,
  JobEvents,
  JobLinks,
  JobManager,
  JobMonitor,
  JobPolicies,
  JobWaits,
  JobWorker,
  Responder,
  ResponseFactories,
  RetryAfter,
];

const ROLE = Symbol.for('nestjs-async-endpoints:role');
/** Long enough for `enableShutdownHooks()` to follow `createApplicationContext()`. */
const SHUTDOWN_HOOKS_CHECK_MS = 1_000;

/**
 * The composition root, and the one place that says in which order things start and stop:
 *
 * 1. init: open the store, find handlers and endpoints, refuse what does not fit together
 * 2. bootstrap: start the worker, once the application is ready
 * 3. SIGTERM, or else destroy: claim no more; not ready any more; refuse submissions over HTTP, after `shutdownDelayMs`
 * 4. before shutdown: let running jobs end, give back the rest; then nobody is kept waiting, and streams of events end
 * 5. shutdown, when the HTTP server is closed: close the store
 */
@Module({})
export class AsyncEndpointsModule
  extends ConfigurableModuleClass
  implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown, OnApplicationShutdown
{
  readonly #logger = new Logger('AsyncEndpoints');
  readonly #log: JobLog;
  readonly #signal = new ShutdownSignal(() => this.#beginShutdown());
  #hooksCheck: NodeJS.Timeout | undefined;

  constructor(
    @Inject(ROLE) private readonly role: Role,
    @Inject(JobStore) private readonly store: JobStore,
    @Inject(BootCheck) private readonly check: BootCheck,
    @Inject(HttpShutdown) private readonly http: HttpShutdown,
    @Inject(JobWorker) private readonly worker: JobWorker,
  ) {
    super();
    check.refuseSecondImport(AsyncEndpointsModule);
    this.#log = new JobLog(store);
  }

  /** @throws AsyncEndpointsError `INVALID_OPTION` */
  static forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return compose(super.forRoot(options), options);
  }

  /**
   * As `forRoot`, with options from a factory; `isGlobal`, `role` and where the status routes are stand beside it.
   *
   * @throws AsyncEndpointsError `INVALID_OPTION`
   */
  static forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return compose(super.forRootAsync(options), options);
  }

  async onModuleInit(): Promise<void> {
    this.check.run(this.role);
    this.#log.open();
    await this.store.open();
  }

  async onApplicationBootstrap(): Promise<void> {
    this.#signal.open();
    this.#hooksCheck = setTimeout(() => this.#warnWithoutShutdownHooks(), SHUTDOWN_HOOKS_CHECK_MS).unref();
    if (this.role !== 'api') await this.worker.start();
  }

  onModuleDestroy(): void {
    clearTimeout(this.#hooksCheck);
    this.#signal.close();
    this.#beginShutdown();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all([this.worker.drain(), this.http.leave()]);
    await this.http.endHeldAnswers();
    if (this.store instanceof MemoryJobStore) await this.#warnOfLoss();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.store.close();
    this.#log.close();
  }

  #beginShutdown(): void {
    this.worker.stopClaiming();
    void this.http.leave();
  }

  #warnWithoutShutdownHooks(): void {
    if (this.#signal.open()) return;
    this.#logger.warn('Call app.enableShutdownHooks(), or SIGTERM will end this process in the middle of its jobs.');
  }

  async #warnOfLoss(): Promise<void> {
    const count = depthOf(await this.store.stats());
    if (count > 0) this.#logger.warn(`${count} waiting jobs end with this process: they are in its memory only.`);
  }
}

function compose(definition: DynamicModule, extras: AsyncEndpointsExtras): DynamicModule {
  const { role, http } = resolveExtras(extras);
  const jobsController = role === 'worker' || !http.statusRoutes ? undefined : createJobsController(http);
  return {
    ...definition,
    global: extras.isGlobal ?? true,
    imports: [...(definition.imports ?? []), DiscoveryModule],
    controllers: jobsController ? [jobsController] : [],
    providers: [
      ...(definition.providers ?? []),
      {
        provide: OPTIONS,
        useFactory: (given: AsyncEndpointsOptions) => resolveOptions(given, extras),
        inject: [MODULE_OPTIONS_TOKEN],
      },
      {
        provide: JobStore,
        useFactory: ({ store }: AsyncEndpointsOptions) => store ?? new MemoryJobStore(),
        inject: [MODULE_OPTIONS_TOKEN],
      },
      { provide: ROLE, useValue: role },
      { provide: STATUS_MODULE, useValue: AsyncEndpointsModule },
      endpointLinks(jobsController, http),
      ...PARTS,
    ],
    exports: [OPTIONS, JobStore, JobLinks, JobManager, JobWorker, EndpointSubmission, Responder],
  };
}
