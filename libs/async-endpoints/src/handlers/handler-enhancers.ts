import { Catch, type ExceptionFilter, Inject, Injectable, type Type } from '@nestjs/common';
import { ApplicationConfig, type ContextId, ExternalContextCreator, ModuleRef, ModulesContainer } from '@nestjs/core';
import {
  EXCEPTION_FILTERS_METADATA,
  GUARDS_METADATA,
  INTERCEPTORS_METADATA,
  PIPES_METADATA,
} from '../nest/internals.js';
import { OPTIONS, type ResolvedOptions } from '../options/options.js';
import type { JobHandler } from './async-handler.js';
import { type HandlerProvider, invalidHandler } from './handler-providers.js';
import type { JobContext } from './job-context.js';

/** Runs a handler within its enhancers, those of this context where some are request-scoped. */
export type EnhancedRun = (
  handler: JobHandler,
  payload: unknown,
  context: JobContext,
  contextId?: ContextId,
) => Promise<unknown>;

const KINDS = [GUARDS_METADATA, INTERCEPTORS_METADATA, PIPES_METADATA, EXCEPTION_FILTERS_METADATA];
/** Pipes see the first parameter alone, as they see a request's body. */
const PARAMETERS_METADATA = 'nestjs-async-endpoints:parameters';
const PARAMETERS = { '3:0': { index: 0, pipes: [] } };
const PAYLOAD = { exchangeKeyForValue: (_type: number, _data: unknown, [payload]: unknown[]) => payload };
const RUN = Symbol('nestjs-async-endpoints:run');

/** What Nest takes for the handler: an object of its class, made for one run. */
interface StandIn {
  [RUN]?: { readonly handler: JobHandler; readonly context: JobContext };
}

/**
 * Guards, interceptors, pipes and exception filters of handlers: `@UseGuards` and its siblings on the class or its method
 * `handle`, and the application's global ones with `worker.globalEnhancers`. Nest runs them, in an external context of type
 * `async-job` whose arguments are the payload and the `JobContext`.
 */
@Injectable()
export class HandlerEnhancers {
  readonly #config: ApplicationConfig;
  readonly #creator: ExternalContextCreator;

  constructor(
    @Inject(ModulesContainer) modules: ModulesContainer,
    @Inject(ApplicationConfig) private readonly application: ApplicationConfig,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {
    this.#config = new ApplicationConfig();
    const container = { getModules: () => modules, applicationConfig: this.#config };
    this.#creator = ExternalContextCreator.fromContainer(container as never);
  }

  /** To be called once the application has its global enhancers. */
  open(): void {
    this.#config.useGlobalFilters(new Rethrow());
    if (!this.options.worker.globalEnhancers) return;
    const from = this.application;
    this.#config.useGlobalGuards(...from.getGlobalGuards());
    this.#config.useGlobalInterceptors(...from.getGlobalInterceptors());
    this.#config.useGlobalPipes(...from.getGlobalPipes());
    this.#config.useGlobalFilters(new Rethrow(), ...from.getGlobalFilters());
    for (const guard of from.getGlobalRequestGuards()) this.#config.addGlobalRequestGuard(guard);
    for (const interceptor of from.getGlobalRequestInterceptors())
      this.#config.addGlobalRequestInterceptor(interceptor);
    for (const pipe of from.getGlobalRequestPipes()) this.#config.addGlobalRequestPipe(pipe);
    for (const filter of from.getGlobalRequestFilters()) this.#config.addGlobalRequestFilter(filter);
  }

  /** Whether runs need a context of their own for the sake of global enhancers. */
  get areScoped(): boolean {
    return this.#scoped.length > 0;
  }

  /**
   * Undefined where the handler has none: then nothing is paid for them.
   *
   * @throws AsyncEndpointsError `INVALID_HANDLER` for one that Nest would leave out
   */
  of(found: HandlerProvider): EnhancedRun | undefined {
    const { provider, declaredBy } = found;
    if (declaredOn(declaredBy).length === 0 && !this.#hasGlobal) return undefined;
    this.#refuseIgnored(found);
    Reflect.defineMetadata(PARAMETERS_METADATA, PARAMETERS, declaredBy, 'handle');
    const prototype = declaredBy.prototype as object;
    const method = methodLike(prototype);
    return async (handler, payload, context, contextId) => {
      if (contextId) await this.#loadGlobal(contextId);
      const standIn = Object.assign(Object.create(prototype) as StandIn, { [RUN]: { handler, context } });
      const run = this.#creator.create(
        standIn,
        method,
        'handle',
        PARAMETERS_METADATA,
        PAYLOAD,
        contextId,
        provider.id,
        undefined,
        'async-job',
      );
      return (await run(payload, context)) as unknown;
    };
  }

  get #scoped() {
    const { options, application: from } = this;
    if (!options.worker.globalEnhancers) return [];
    return [
      ...from.getGlobalRequestGuards(),
      ...from.getGlobalRequestInterceptors(),
      ...from.getGlobalRequestPipes(),
      ...from.getGlobalRequestFilters(),
    ];
  }

  get #hasGlobal(): boolean {
    const config = this.#config;
    const filters = config.getGlobalFilters().length - 1;
    const others = [config.getGlobalGuards(), config.getGlobalInterceptors(), config.getGlobalPipes()].flat().length;
    return filters + others > 0 || this.areScoped;
  }

  async #loadGlobal(contextId: ContextId): Promise<void> {
    const load = ({ token }: { token: unknown }) => this.moduleRef.resolve(token as Type, contextId, { strict: false });
    await Promise.all(this.#scoped.map(load));
  }

  /** Nest finds a class among the enhancers of the handler's module, and silently skips one that is not there. */
  #refuseIgnored({ provider, declaredBy, job }: HandlerProvider): void {
    const declared = declaredOn(declaredBy);
    const isFindable = provider.token === declaredBy || 'getHostModuleKey' in this.#creator;
    const lost = declared.find(
      (enhancer) =>
        typeof enhancer === 'function' && !(isFindable && provider.host?.injectables.has(enhancer as never)),
    );
    const extra = declaredOn(provider.metatype).find((enhancer) => !declared.includes(enhancer));
    const ignored = (lost ?? extra) as { name?: string } | undefined;
    if (!ignored) return;
    throw invalidHandler(
      `${ignored.name ?? 'An enhancer'} on the handler of job "${job.name}" would not run, because ${provider.name} is ` +
        `provided by something else than its class. List ${declaredBy.name} itself in providers, or use an instance.`,
    );
  }
}

/** Every guard, interceptor, pipe and filter that is declared on a handler's class and its method. */
function declaredOn(type: unknown): unknown[] {
  const prototype = (typeof type === 'function' ? type.prototype : undefined) as Partial<JobHandler> | undefined;
  const targets = [type, prototype?.handle].filter((target) => typeof target === 'function');
  return targets.flatMap((target) => KINDS.flatMap((kind) => (Reflect.getMetadata(kind, target) ?? []) as unknown[]));
}

/** Calls the handler of the run that it is called for, and carries what decorators have put on its method. */
function methodLike({ handle }: Partial<JobHandler>) {
  const call = {
    handle(this: StandIn, payload: unknown): unknown {
      const { handler, context } = this[RUN] as Required<StandIn>[typeof RUN];
      return handler.handle(payload, context);
    },
  }.handle;
  for (const key of (handle ? Reflect.getMetadataKeys(handle) : []) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, handle as object), call);
  }
  return call;
}

/** The last filter. Without it Nest would log what no filter catches, and the job's failure is logged anyway. */
@Catch()
class Rethrow implements ExceptionFilter {
  catch(exception: unknown): never {
    throw exception;
  }
}
