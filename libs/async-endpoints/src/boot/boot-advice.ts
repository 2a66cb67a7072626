import { Inject, Injectable, Logger, type OnApplicationBootstrap, type Type } from '@nestjs/common';
import { ApplicationConfig, DiscoveryService, HttpAdapterHost } from '@nestjs/core';
import { HandlerRegistry } from '../handlers/handler-registry.js';
import { LazyHandlers } from '../handlers/lazy-handlers.js';
import { BodyReadGuard } from '../http/endpoint/body-read.guard.js';
import { withheldMessage } from '../http/endpoint/declared-values.js';
import { discoverEndpoints } from '../http/endpoint/endpoints.js';
import { STATUS_CONTROLLER } from '../http/reply/job-links.js';
import { GUARDS_METADATA } from '../nest/internals.js';
import { didYouMean } from '../options/did-you-mean.js';
import { OPTIONS, type ResolvedOptions, type Role, ROLE } from '../options/options.js';
import { JobStore } from '../store/job-store.js';
import { MemoryJobStore } from '../stores/memory/memory-job-store.js';

/** Warns about valid settings that are probably a mistake. */
@Injectable()
class BootAdvice implements OnApplicationBootstrap {
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
    if (copies.size > 1)
      yield (
        `${copies.size} copies of nestjs-async-endpoints are loaded in this process. A copy does not find the handlers and ` +
        'endpoints of another: run npm ls nestjs-async-endpoints, and install the package once.'
      );
  }
}

/** Warns about endpoints and status routes whose settings are probably a mistake. */
@Injectable()
class HttpAdvice implements OnApplicationBootstrap {
  readonly #logger = new Logger('AsyncEndpoints');

  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(ApplicationConfig) private readonly config: ApplicationConfig,
    @Inject(STATUS_CONTROLLER) private readonly statusController: Type | null,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Only now are the application's global guards known. */
  onApplicationBootstrap(): void {
    for (const advice of this.#advice()) this.#logger.warn(advice);
  }

  *#advice(): Generator<string> {
    const endpoints = discoverEndpoints(this.discovery);
    for (const { values, where } of endpoints) {
      for (const value of values.withheld) yield withheldMessage(where, value);
    }
    const { owner, idempotencyScope, guards, path } = this.options.http;
    if (owner) return;
    const areGuarded = () =>
      guards.length > 0 || endpoints.some(({ method, controller }) => this.#areGuarded([method, controller]));
    if (!idempotencyScope && endpoints.length > 0 && areGuarded())
      yield (
        'Guards are in use, but http.owner is not set: an Idempotency-Key that one caller has used answers every other with ' +
        'the same job and its result. Set http.owner, or http.idempotencyScope to a function that names the caller.'
      );
    const isPublic = this.statusController && !this.#areGuarded([this.statusController]);
    if (isPublic && process.env['NODE_ENV'] === 'production')
      yield (
        `Whoever knows the id of a job can read and cancel it under /${path}: there is neither http.owner nor a ` +
        'guard. Set http.owner, so that a job is visible to its owner only, or http.guards.'
      );
  }

  /** True when there are guards: such an application tells callers apart. */
  #areGuarded(targets: readonly object[]): boolean {
    const own = targets.flatMap((target) => (Reflect.getMetadata(GUARDS_METADATA, target) ?? []) as unknown[]);
    if (own.some((guard) => guard !== BodyReadGuard)) return true;
    return this.config.getGlobalGuards().length + this.config.getGlobalRequestGuards().length > 0;
  }
}

/** The providers that log warnings at boot. */
export const BOOT_ADVICE = [BootAdvice, HttpAdvice, LazyHandlers];

const COPIES = Symbol.for('nestjs-async-endpoints:copies');

/** One entry for each loaded copy of the library. Copies do not recognise each other's decorators and classes. */
const copies = ((globalThis as unknown as Record<symbol, Set<symbol> | undefined>)[COPIES] ??= new Set());
copies.add(Symbol('copy'));
