import { Inject, Injectable, Logger, type OnApplicationBootstrap, type Type } from '@nestjs/common';
import { DiscoveryService, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { HandlerRegistry } from '../handlers/handler-registry.js';
import { LazyHandlers } from '../handlers/lazy-handlers.js';
import { discoverEndpoints } from '../http/endpoint/endpoints.js';
import { AccessNotice } from '../http/status/access-notice.js';
import { RouteCollisions } from '../http/status/route-collisions.js';
import { AsyncEndpointsError } from '../job/errors.js';
import { didYouMean } from '../options/did-you-mean.js';
import { type Role, ROLE } from '../options/options.js';
import { JobPolicies } from '../options/policies.js';
import { JobStore } from '../store/job-store.js';
import { MemoryJobStore } from '../stores/memory/memory-job-store.js';

/** Finds the handlers and endpoints of the application, and refuses to boot with a mistake that would fail later. */
@Injectable()
export class BootCheck {
  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(HandlerRegistry) private readonly handlers: HandlerRegistry,
    @Inject(JobPolicies) private readonly policies: JobPolicies,
    @Inject(RouteCollisions) private readonly collisions: RouteCollisions,
  ) {}

  /** @throws AsyncEndpointsError `INVALID_HANDLER`, `INVALID_ENDPOINT`, `INVALID_OPTION` */
  async run(role: Role): Promise<void> {
    await this.handlers.discover();
    for (const { job, where } of discoverEndpoints(this.discovery)) {
      this.policies.of(job);
      if (role !== 'all' || this.handlers.get(job.name)) continue;
      const meant = didYouMean(job.name, this.handlers.names);
      throw new AsyncEndpointsError(
        'INVALID_HANDLER',
        `${where} submits job "${job.name}", which nobody handles. Provide an @AsyncHandler for it, or set role: 'api'.` +
          (meant === null ? '' : ` There is a handler for "${meant}": did you mean that?`),
      );
    }
  }

  /** Call it when all modules exist and before routes are mapped. @see RouteCollisions.refuse */
  refuseCollidingRoutes(): void {
    this.collisions.refuse();
  }

  /** Call it before routes are mapped. Otherwise the error would be about conflicting routes. */
  refuseSecondImport(module: Type): void {
    if ([...this.modules.values()].filter(({ metatype }) => metatype === module).length === 1) return;
    throw new AsyncEndpointsError(
      'INVALID_OPTION',
      'AsyncEndpointsModule.forRoot() is imported twice, which would make two workers; import it once.',
    );
  }
}

/** Warns about valid settings that are probably a mistake. */
@Injectable()
export class BootAdvice implements OnApplicationBootstrap {
  readonly #logger = new Logger('AsyncEndpoints');

  constructor(
    @Inject(ROLE) private readonly role: Role,
    @Inject(JobStore) private readonly store: JobStore,
    @Inject(HandlerRegistry) private readonly handlers: HandlerRegistry,
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
  ) {}

  onApplicationBootstrap(): void {
    for (const advice of this.#advice()) this.#logger.warn(advice);
  }

  *#advice(): Generator<string> {
    const endpoints = discoverEndpoints(this.discovery);
    const [endpoint] = endpoints;
    if (this.role === 'api' && this.store instanceof MemoryJobStore)
      yield (
        `role is "api", but jobs are in the memory of this process, where no worker can find them. Give the API and its ` +
        `workers one store, such as RedisJobStore, or set role: 'all'.`
      );
    if (this.role === 'worker' && endpoint && (this.host.httpAdapter as unknown))
      yield (
        `role is "worker", but ${endpoint.where} accepts jobs over HTTP, and there are no status routes to follow them. Start ` +
        `it with NestFactory.createApplicationContext(), or leave its controller to the API.`
      );
    const submitted = new Set(endpoints.map(({ job }) => job.name));
    for (const name of this.handlers.names) {
      const meant = submitted.has(name) ? null : didYouMean(name, submitted);
      if (meant !== null)
        yield `No endpoint submits job "${name}", which has a handler. Did you mean "${meant}"? Ignore this warning if code submits it.`;
    }
    if (countCopies() > 1)
      yield (
        `${countCopies()} copies of nestjs-async-endpoints are loaded in this process. A copy does not find the handlers and ` +
        'endpoints of another: run npm ls nestjs-async-endpoints, and install the package once.'
      );
  }
}

/** The providers that log warnings at boot. */
export const BOOT_ADVICE = [BootAdvice, AccessNotice, LazyHandlers];

const COPIES = Symbol.for('nestjs-async-endpoints:copies');

/** One entry for each loaded copy of the library. Copies do not recognise each other's decorators and classes. */
const copies = ((globalThis as unknown as Record<symbol, Set<symbol> | undefined>)[COPIES] ??= new Set());
copies.add(Symbol('copy'));

export function countCopies(): number {
  return copies.size;
}
