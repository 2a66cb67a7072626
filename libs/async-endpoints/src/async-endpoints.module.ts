import {
  ConfigurableModuleBuilder,
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { BOOT_ADVICE } from './boot/boot-advice.js';
import { BootCheck } from './boot/boot-check.js';
import { lastCall, RuntimeModule } from './boot/shutdown.js';
import { JobLog } from './events/log.js';
import { HandlerEnhancers } from './handlers/handler-enhancers.js';
import { HandlerRegistry } from './handlers/handler-registry.js';
import { ResultSerializer } from './handlers/result-serializer.js';
import { endpointLinks } from './http/endpoint/endpoint-links.js';
import { EndpointSubmission } from './http/endpoint/endpoint-submission.js';
import { JobLinks, STATUS_CONTROLLER, STATUS_MODULE } from './http/reply/job-links.js';
import { Responder } from './http/reply/responder.js';
import { ResponseFactories } from './http/reply/response-factories.js';
import { ResponseWriter } from './http/reply/response-writer.js';
import { RetryAfter } from './http/reply/retry-after.js';
import { HttpShutdown } from './http/shutdown.js';
import { EventStreams } from './http/status/event-streams.js';
import { JobMonitor } from './http/status/job-monitor.js';
import { createJobsController } from './http/status/jobs.controller.js';
import { RouteCollisions } from './http/status/route-collisions.js';
import { HeldAnswers, JobWaits } from './http/waits.js';
import { JobManager } from './jobs/job-manager.js';
import { JobRecords } from './jobs/job-records.js';
import { JobSchedules } from './jobs/job-schedules.js';
import { type AsyncEndpointsExtras, type AsyncEndpointsOptions, OPTIONS, ROLE, type Role } from './options/options.js';
import { JobPolicies } from './options/policies.js';
import { resolveExtras, resolveOptions } from './options/resolve.js';
import { JobStore } from './store/job-store.js';
import { MemoryJobStore } from './stores/memory/memory-job-store.js';
import { JobWorker } from './worker/job-worker.js';
import { Scheduler } from './worker/scheduler.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<AsyncEndpointsOptions>({ moduleName: 'AsyncEndpoints' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createAsyncEndpointsOptions')
    .setExtras<AsyncEndpointsExtras>({ isGlobal: true, role: 'all', http: {}, imports: [] })
    .build();

const PARTS = [
  ...BOOT_ADVICE,
  BootCheck,
  EndpointSubmission,
  HandlerEnhancers,
  HandlerRegistry,
  HeldAnswers,
  HttpShutdown,
  EventStreams,
  JobLinks,
  JobManager,
  JobMonitor,
  JobPolicies,
  JobRecords,
  JobSchedules,
  JobWaits,
  JobWorker,
  Responder,
  ResponseFactories,
  ResponseWriter,
  ResultSerializer,
  RetryAfter,
  RouteCollisions,
  Scheduler,
];

/**
 * The composition root. Together with `RuntimeModule` it defines the order of start and stop:
 *
 * 1. init, before all other modules: open the store, find handlers and endpoints, refuse invalid combinations
 * 2. bootstrap, after all other modules: start the worker, once the application is ready
 * 3. SIGTERM, or destroy without a signal: stop claiming, report not ready, and refuse HTTP submissions after `shutdownDelayMs`
 * 4. destroy, before all other modules: let running jobs finish, release the rest, then end held responses and event streams
 * 5. shutdown, after the HTTP server is closed: close the store
 */
@Module({})
export class AsyncEndpointsModule extends ConfigurableModuleClass implements OnModuleInit, OnApplicationShutdown {
  readonly #log: JobLog;
  #isOpen = false;

  constructor(
    @Inject(ROLE) private readonly role: Role,
    @Inject(JobStore) private readonly store: JobStore,
    @Inject(BootCheck) private readonly check: BootCheck,
    @Inject(HandlerRegistry) private readonly handlers: HandlerRegistry,
    @Inject(JobManager) private readonly jobs: JobManager,
  ) {
    super();
    check.refuseSecondImport(AsyncEndpointsModule);
    this.#log = JobLog.of(store);
  }

  /** @throws AsyncEndpointsError `INVALID_OPTION` */
  static forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return compose(super.forRoot(options), options);
  }

  /**
   * Like `forRoot`, with options from a factory. `isGlobal`, `role` and the options of the status routes stand beside the
   * factory.
   *
   * @throws AsyncEndpointsError `INVALID_OPTION`
   */
  static forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return compose(super.forRootAsync(options), options);
  }

  configure(): void {
    this.check.refuseCollidingRoutes();
  }

  async onModuleInit(): Promise<void> {
    await this.check.run(this.role);
    if (this.role !== 'api') await this.jobs.schedules.check(this.handlers.declarations);
    this.#log.open();
    try {
      await this.store.open();
      this.#isOpen = true;
    } finally {
      if (!this.#isOpen) this.#log.close();
    }
  }

  async onApplicationShutdown(): Promise<void> {
    // Other applications may share the store, so this one closes it once, even when it is closed several times.
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await lastCall('close', this.store.close());
    this.#log.close();
  }
}

function compose(definition: DynamicModule, extras: AsyncEndpointsExtras): DynamicModule {
  const { role, http } = resolveExtras(extras);
  const jobsController = role === 'worker' || !http.statusRoutes ? undefined : createJobsController(http);
  return {
    ...definition,
    global: extras.isGlobal ?? true,
    imports: [...new Set([...(definition.imports ?? []), ...(extras.imports ?? [])]), DiscoveryModule, RuntimeModule],
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
      { provide: STATUS_CONTROLLER, useValue: jobsController ?? null },
      { provide: STATUS_MODULE, useValue: AsyncEndpointsModule },
      endpointLinks(jobsController, http),
      ...PARTS,
    ],
    exports: [OPTIONS, JobStore, JobLinks, JobManager, JobPolicies, JobWorker, EndpointSubmission, Responder],
  };
}
