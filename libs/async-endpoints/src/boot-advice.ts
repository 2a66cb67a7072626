import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService, HttpAdapterHost } from '@nestjs/core';
import { didYouMean } from './config/did-you-mean.js';
import { countCopies } from './copies.js';
import { HandlerRegistry } from './handlers/handler-registry.js';
import { LazyHandlers } from './handlers/lazy-handlers.js';
import { AccessNotice } from './http/access-notice.js';
import { discoverEndpoints } from './http/endpoints.js';
import { ROLE, type Role } from './options.js';
import { JobStore } from './store/job-store.js';
import { MemoryJobStore } from './store/memory/memory-job-store.js';

/** Warns of what boots and is most likely not what was meant. */
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
        `role is "api", but jobs are in this process's memory, where no other process finds them. Give the API and its ` +
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
        yield `No endpoint submits job "${name}", which has a handler. Did you mean "${meant}"? Ignore this where code submits it.`;
    }
    if (countCopies() > 1)
      yield (
        `${countCopies()} copies of nestjs-async-endpoints are loaded in this process. One does not find the handlers and ` +
        'endpoints of another: see npm ls nestjs-async-endpoints, and install it once.'
      );
  }
}

/** Everything that warns at boot. */
export const BOOT_ADVICE = [BootAdvice, AccessNotice, LazyHandlers];
