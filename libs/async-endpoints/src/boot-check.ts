import { Inject, Injectable, type Type } from '@nestjs/common';
import { DiscoveryService, ModulesContainer } from '@nestjs/core';
import { HandlerRegistry } from './handlers/handler-registry.js';
import { discoverEndpoints } from './http/endpoints.js';
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
  ) {}

  /** @throws AsyncEndpointsError `INVALID_HANDLER`, `INVALID_ENDPOINT`, `INVALID_OPTION` */
  run(role: Role): void {
    this.handlers.discover();
    for (const { job, where } of discoverEndpoints(this.discovery)) {
      this.policies.of(job);
      if (role !== 'all' || this.handlers.get(job.name)) continue;
      throw new AsyncEndpointsError(
        'INVALID_HANDLER',
        `${where} submits job "${job.name}", which nobody handles. Provide an @AsyncHandler for it, or set role: 'api'.`,
      );
    }
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
