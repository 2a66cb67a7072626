import { Inject, Injectable } from '@nestjs/common';
import { ContextIdFactory, DiscoveryService, ModuleRef } from '@nestjs/core';
import { AsyncEndpointsError } from '../job/errors.js';
import { JobPolicies } from '../job-policies.js';
import type { JobPolicy } from '../options.js';
import { HandlerMarker, type JobHandler } from './async-handler.js';
import type { JobContext } from './job-context.js';

type Provider = ReturnType<DiscoveryService['getProviders']>[number];

export interface RegisteredHandler {
  readonly name: string;
  readonly policy: JobPolicy;
  /** The provider itself, or one made for this run. */
  resolve(context: JobContext): JobHandler | Promise<JobHandler>;
}

/** The handlers of this application, by job name. */
@Injectable()
export class HandlerRegistry {
  readonly #handlers = new Map<string, RegisteredHandler>();

  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
    @Inject(JobPolicies) private readonly policies: JobPolicies,
  ) {}

  get names(): string[] {
    return [...this.#handlers.keys()];
  }

  get(name: string): RegisteredHandler | undefined {
    return this.#handlers.get(name);
  }

  /** @throws AsyncEndpointsError `INVALID_HANDLER`, `INVALID_OPTION` */
  discover(): void {
    const classes = new Map<string, unknown>();
    for (const provider of this.discovery.getProviders({ metadataKey: HandlerMarker.KEY })) {
      const job = this.discovery.getMetadataByDecorator(HandlerMarker, provider);
      if (!job) continue;
      const earlier = classes.get(job.name);
      if (earlier !== undefined && earlier === provider.metatype) continue; // one class provided by two modules
      if (earlier !== undefined)
        throw invalid(`Job "${job.name}" has two handlers: ${nameOf(earlier)} and ${provider.name}.`);
      if (typeof (provider.instance as Partial<JobHandler> | undefined)?.handle !== 'function') {
        throw invalid(`${provider.name} handles job "${job.name}" but has no method handle(request, context).`);
      }
      classes.set(job.name, provider.metatype);
      this.#handlers.set(job.name, {
        name: job.name,
        policy: this.policies.of(job),
        resolve: this.#resolver(provider),
      });
    }
  }

  #resolver(provider: Provider): RegisteredHandler['resolve'] {
    if (provider.isDependencyTreeStatic() && !provider.isTransient) {
      return () => provider.instance as JobHandler;
    }
    return (context) => {
      const contextId = ContextIdFactory.getByRequest(context as unknown as Record<string, unknown>);
      this.moduleRef.registerRequestByContextId(context, contextId);
      return this.moduleRef.resolve<JobHandler>(provider.token as never, contextId, { strict: false });
    };
  }
}

function invalid(message: string): AsyncEndpointsError {
  return new AsyncEndpointsError('INVALID_HANDLER', message);
}

function nameOf(type: unknown): string {
  return typeof type === 'function' ? type.name : String(type);
}
