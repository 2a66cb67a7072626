import { Inject, Injectable, type Type } from '@nestjs/common';
import { DiscoveryService, ModulesContainer } from '@nestjs/core';
import { didYouMean } from './config/did-you-mean.js';
import { HandlerRegistry } from './handlers/handler-registry.js';
import { discoverEndpoints } from './http/endpoints.js';
import { RouteCollisions } from './http/route-collisions.js';
import { AsyncEndpointsError } from './job/errors.js';
import { JobPolicies } from './job-policies.js';
import type { Role } from './options.js';

/** Finds what the application declares, and refuses to boot with what could only fail later. */
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

  /** When all modules are there and no route is mapped yet. @see RouteCollisions.refuse */
  refuseCollidingRoutes(): void {
    this.collisions.refuse();
  }

  /** Before routes are mapped, or their conflict would be reported instead. */
  refuseSecondImport(module: Type): void {
    if ([...this.modules.values()].filter(({ metatype }) => metatype === module).length === 1) return;
    throw new AsyncEndpointsError(
      'INVALID_OPTION',
      'AsyncEndpointsModule.forRoot() is imported twice, which would make two workers; import it once.',
    );
  }
}
