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
import { invalidHandler } from '../job/errors.js';
import type { HandlerProvider } from './handler-providers.js';
import type { JobContext } from './job-context.js';

/** Runs a handler within its enhancers; request-scoped ones are those of the given context. */
type EnhancedRun = (
  handler: JobHandler,
  payload: unknown,
  context: JobContext,
  contextId?: ContextId,
) => Promise<unknown>;

const KINDS = [GUARDS_METADATA, INTERCEPTORS_METADATA, PIPES_METADATA, EXCEPTION_FILTERS_METADATA];
/** Pipes process the first parameter only, as they process the body of a request. */
const PARAMETERS_METADATA = 'nestjs-async-endpoints:parameters';
const PARAMETERS = { '3:0': { index: 0, pipes: [] } };
const PAYLOAD = { exchangeKeyForValue: (_type: number, _data: unknown, [payload]: unknown[]) => payload };
const RUN = Symbol('nestjs-async-endpoints:run');

/** The object that Nest takes for the handler: an object of its class, created for one run. */
interface StandIn {
  [RUN]?: { readonly handler: JobHandler; readonly context: JobContext };
}

/**
 * Guards, interceptors, pipes and exception filters of handlers: those declared on the class or its method `handle` (`@UseGuards`
 * and so on), and the global ones of the application with `worker.globalEnhancers`. Nest runs them in an external context of type
 * `async-job`, whose arguments are the payload and the `JobContext`.
 */
@Injectable()
export class HandlerEnhancers {
  #config = new ApplicationConfig();
  #creator: ExternalContextCreator | undefined;

  constructor(
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(ApplicationConfig) private readonly application: ApplicationConfig,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Call it when the application has its global enhancers. */
  open(): void {
    const from = this.options.worker.globalEnhancers ? this.application : new ApplicationConfig();
    const filters = [new Rethrow(), ...from.getGlobalFilters()];
    this.#config = Object.create(from, { getGlobalFilters: { value: () => filters } }) as ApplicationConfig;
    const container = { getModules: () => this.modules, applicationConfig: this.#config };
    this.#creator = ExternalContextCreator.fromContainer(container as never);
  }

  /** Whether runs need a DI context of their own because of global enhancers. */
  get areScoped(): boolean {
    return this.#scoped.length > 0;
  }

  /**
   * Undefined when the handler has no enhancers, so that it has no overhead.
   *
   * @throws AsyncEndpointsError `INVALID_HANDLER` for an enhancer that Nest would ignore
   */
  of(found: HandlerProvider): EnhancedRun | undefined {
    const { provider, declaredBy } = found;
    if (declaredOn(declaredBy).length === 0 && !this.#hasGlobal) return undefined;
    this.#refuseIgnored(found);
    Reflect.defineMetadata(PARAMETERS_METADATA, PARAMETERS, declaredBy, 'handle');
    const prototype = declaredBy.prototype as object;
    const method = methodLike(prototype);
    const creator = this.#creator as ExternalContextCreator;
    return async (handler, payload, context, contextId) => {
      if (contextId) await this.#loadGlobal(contextId);
      const standIn = Object.assign(Object.create(prototype) as StandIn, { [RUN]: { handler, context } });
      const run = creator.create(
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
    const config = this.#config;
    return [
      ...config.getGlobalRequestGuards(),
      ...config.getGlobalRequestInterceptors(),
      ...config.getGlobalRequestPipes(),
      ...config.getGlobalRequestFilters(),
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

  /** Nest looks for the class among the enhancers of the handler's module, and silently ignores one that is missing there. */
  #refuseIgnored({ provider, declaredBy, job }: HandlerProvider): void {
    const declared = declaredOn(declaredBy);
    const isFindable = provider.token === declaredBy || 'getHostModuleKey' in (this.#creator as ExternalContextCreator);
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

/** The guards, interceptors, pipes and filters that are declared on the class and method of a handler. */
function declaredOn(type: unknown): unknown[] {
  const prototype = (typeof type === 'function' ? type.prototype : undefined) as Partial<JobHandler> | undefined;
  const targets = [type, prototype?.handle].filter((target) => typeof target === 'function');
  return targets.flatMap((target) => KINDS.flatMap((kind) => (Reflect.getMetadata(kind, target) ?? []) as unknown[]));
}

/** A function that calls the handler of the current run and has the metadata of its method. */
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

/** The last filter. Without it, Nest would log errors that no filter catches, and the failure of the job is logged anyway. */
@Catch()
class Rethrow implements ExceptionFilter {
  catch(exception: unknown): never {
    throw exception;
  }
}
