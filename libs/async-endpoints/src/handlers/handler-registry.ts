import { invalidOption } from '../job/errors.js';
import { Inject, Injectable } from '@nestjs/common';
import { type ContextId, ContextIdFactory, DiscoveryService, ModuleRef } from '@nestjs/core';
import { isObservable, lastValueFrom, Observable, takeUntil } from 'rxjs';
import { type JobPolicy, OPTIONS, type ResolvedOptions } from '../options/options.js';
import { JobPolicies } from '../options/policies.js';
import type { JobHandler } from './async-handler.js';
import { HandlerEnhancers } from './handler-enhancers.js';
import { type Class, type HandlerProvider, handlerProviders, isShared, type Provider } from './handler-providers.js';
import type { JobContext } from './job-context.js';
import { type Declaration, declarationsOf } from '../schedules/recurring.js';
import { type Rebuild, rebuildOf } from './payload-class.js';

/** Runs a handler: the provider itself, or an instance for this run. It may return a promise or an Observable. */
type RunHandler = (payload: unknown, context: JobContext) => unknown;

export interface RegisteredHandler {
  readonly name: string;
  readonly policy: JobPolicy;
  /** The class with the decorator. */
  readonly declaredBy: Class;
  readonly run: RunHandler;
}

/** The handlers of this application, by job name. */
@Injectable()
export class HandlerRegistry {
  readonly #handlers = new Map<string, RegisteredHandler>();

  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
    @Inject(JobPolicies) private readonly policies: JobPolicies,
    @Inject(HandlerEnhancers) private readonly enhancers: HandlerEnhancers,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  get names(): string[] {
    return [...this.#handlers.keys()];
  }

  /** The schedules that handlers declare, each with the name of its job. */
  get declarations(): (Declaration & { readonly job: string })[] {
    return [...this.#handlers.values()].flatMap(({ name: job, declaredBy }) =>
      declarationsOf(declaredBy).map((declaration) => ({ ...declaration, job })),
    );
  }

  get(name: string): RegisteredHandler | undefined {
    return this.#handlers.get(name);
  }

  /** @throws AsyncEndpointsError `INVALID_HANDLER`, `INVALID_OPTION` */
  async discover(): Promise<void> {
    this.enhancers.open();
    for (const found of handlerProviders(this.discovery)) {
      const { job, declaredBy } = found;
      const rebuild = await rebuildOf(job);
      const run = this.#withinContext(rebuilding(rebuild, this.#runnerOf(found)));
      this.#handlers.set(job.name, { name: job.name, policy: this.policies.of(job), declaredBy, run });
    }
  }

  #runnerOf(found: HandlerProvider): RunHandler {
    const { provider } = found;
    const enhanced = this.enhancers.of(found);
    if (isShared(provider) && !(enhanced && this.enhancers.areScoped)) {
      const handler = provider.instance as JobHandler;
      if (!enhanced) return (payload, context) => handler.handle(payload, context);
      return (payload, context) => enhanced(handler, payload, context);
    }
    return async (payload, context) => {
      const contextId = this.#contextIdOf(provider, context);
      const handler = await this.moduleRef.resolve<JobHandler>(provider.token as never, contextId, { strict: false });
      return enhanced ? enhanced(handler, payload, context, contextId) : handler.handle(payload, context);
    };
  }

  /** As the router of Nest does for a request: a durable tree gets the payload of the application's `ContextIdStrategy`. */
  #contextIdOf(provider: Provider, context: JobContext): ContextId {
    const contextId = ContextIdFactory.getByRequest(context as unknown as Record<string, unknown>);
    const isDurable = provider.isDependencyTreeDurable();
    this.moduleRef.registerRequestByContextId(isDurable ? contextId.payload : context, contextId);
    return contextId;
  }

  #withinContext(run: RunHandler): RunHandler {
    const { run: restore } = this.options.context;
    if (!restore) return run;
    return async (payload, context) => {
      let result: Promise<unknown> | undefined;
      await restore(context.values, () => {
        result ??= settled(run, payload, context);
        result.catch(() => {}); // Awaited below, unless `restore` throws first.
        return result;
      });
      if (!result) throw invalidOption('context.run did not call the function that it received.');
      return result;
    };
  }
}

function rebuilding(rebuild: Rebuild | undefined, run: RunHandler): RunHandler {
  if (!rebuild) return run;
  return async (payload, context) => run(await rebuild(payload), context);
}

/** Subscribes to an Observable here, so that it runs in the context, too. */
async function settled(run: RunHandler, payload: unknown, context: JobContext): Promise<unknown> {
  const result = await run(payload, context);
  return isObservable(result) ? lastValueOf(result, context.signal) : result;
}

/** The last value of an Observable, or undefined. When the signal is aborted, it unsubscribes and rejects with the reason. */
export function lastValueOf(result: Observable<unknown>, signal: AbortSignal): Promise<unknown> {
  const aborted = new Observable<never>((subscriber) => {
    const end = () => subscriber.error(signal.reason);
    if (signal.aborted) return end();
    signal.addEventListener('abort', end, { once: true });
    return () => signal.removeEventListener('abort', end);
  });
  return lastValueFrom(result.pipe(takeUntil(aborted)), { defaultValue: undefined });
}
