import { Inject, Injectable, type Type } from '@nestjs/common';
import { DiscoveryService, ModulesContainer } from '@nestjs/core';
import { HandlerRegistry } from '../handlers/handler-registry.js';
import { discoverEndpoints } from '../http/endpoint/endpoints.js';
import { RouteCollisions } from '../http/status/route-collisions.js';
import { invalidHandler, invalidOption } from '../job/errors.js';
import { didYouMean } from '../options/did-you-mean.js';
import type { Role } from '../options/options.js';
import { JobPolicies } from '../options/policies.js';

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
      throw invalidHandler(
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
    throw invalidOption(
      'AsyncEndpointsModule.forRoot() is imported twice, which would make two workers; import it once.',
    );
  }
}
