import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService, LazyModuleLoader } from '@nestjs/core';
import { handlerProviders } from './handler-providers.js';
import { HandlerRegistry } from './handler-registry.js';

/** Warns when a lazily loaded module has a handler: workers claim only jobs of the names that are known at boot. */
@Injectable()
export class LazyHandlers implements OnApplicationBootstrap {
  readonly #logger = new Logger('AsyncEndpoints');
  readonly #told = new Set<string>();

  constructor(
    @Inject(LazyModuleLoader) private readonly loader: LazyModuleLoader,
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(HandlerRegistry) private readonly handlers: HandlerRegistry,
  ) {}

  /** Nest has no hook for modules that are loaded later. */
  onApplicationBootstrap(): void {
    const load = this.loader.load.bind(this.loader);
    this.loader.load = async (...args) => {
      const module = await load(...args);
      this.#warnOfUnknown();
      return module;
    };
  }

  #warnOfUnknown(): void {
    for (const { job, provider } of handlerProviders(this.discovery)) {
      if (this.handlers.get(job.name) || this.#told.has(job.name)) continue;
      this.#told.add(job.name);
      this.#logger.warn(
        `${String(provider.name)} handles job "${job.name}", but came with a lazily loaded module: this worker does not run it, because a ` +
          'worker takes only jobs of the handlers that it finds at boot. Import that module in a module of the application.',
      );
    }
  }
}
