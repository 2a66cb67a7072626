import { Inject, Injectable, RequestMethod, type Type, VERSION_NEUTRAL, VersioningType } from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import type { Links } from '../../job/job-representation.js';
import { type HttpRequest, OPTIONS, type ResolvedOptions } from '../../options/options.js';

/** The module of the status routes. `RouterModule` may map it below a path. */
export const STATUS_MODULE = Symbol.for('nestjs-async-endpoints:status-module');

/** The controller of the status routes; null where this process has none. */
export const STATUS_CONTROLLER = Symbol.for('nestjs-async-endpoints:status-controller');

interface ExcludedRoute {
  readonly pathRegex: RegExp;
  readonly requestMethod: RequestMethod;
}

/**
 * The paths of a job's status routes as clients use them, with global prefix, version and gateway path. They are encoded as in a URL:
 * a header and a JSON string can hold them as they are.
 */
@Injectable()
export class JobLinks {
  #bases: Links | undefined;

  constructor(
    @Inject(ApplicationConfig) private readonly config: ApplicationConfig,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(STATUS_MODULE) private readonly statusModule: Type,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * @param request its values replace the parameters of a global prefix or of a path of `RouterModule`, such as `:tenant`; a
   * parameter without a value stays
   */
  of(id: string, request?: Pick<HttpRequest, 'params'>): Links {
    // At the first request: the application sets prefix and versioning after the module was made.
    const { self, result, events } = filled((this.#bases ??= this.#findBases()), request?.params);
    return { self: `${self}/${id}`, result: `${result}/${id}/result`, events: `${events}/${id}/events` };
  }

  #findBases(): Links {
    return { self: this.#base('id'), result: this.#base('id/result'), events: this.#base('id/events') };
  }

  /** Computed for each route: an exclusion from the global prefix can name one route. It is written without the version. */
  #base(route: string): string {
    const { path, publicBasePath } = this.options.http;
    const controller = joinPaths(modulePathOf(this.statusModule, this.modules), path);
    const prefix = this.#isExcluded(`${controller}/${route}`) ? '' : this.config.getGlobalPrefix();
    const base = publicBasePath + joinPaths(prefix, this.#version(), controller);
    return encodeURI(base).replaceAll('%25', '%'); // what is encoded already stays
  }

  #version(): string {
    const versioning = this.config.getVersioning();
    if (versioning?.type !== VersioningType.URI) return '';
    const [version] = [this.options.http.version].flat();
    if (version === undefined || version === VERSION_NEUTRAL) return '';
    return `${versioning.prefix === false ? '' : (versioning.prefix ?? 'v')}${String(version)}`;
  }

  #isExcluded(path: string): boolean {
    const excluded = (this.config.getGlobalPrefixOptions().exclude ?? []) as unknown as ExcludedRoute[];
    const methods: unknown[] = [RequestMethod.ALL, -1, RequestMethod.GET];
    return excluded.some((route) => methods.includes(route.requestMethod) && route.pathRegex.test(path));
  }
}

const PARAMETER = /(?<=\/):(\w+)/g;

function filled(bases: Links, params: unknown): Links {
  if (!bases.self.includes('/:') && !bases.result.includes('/:') && !bases.events.includes('/:')) return bases;
  const values = (params ?? {}) as Record<string, unknown>;
  const fill = (base: string) =>
    base.replaceAll(PARAMETER, (parameter, name: string) =>
      typeof values[name] === 'string' ? encodeURIComponent(values[name]) : parameter,
    );
  return { self: fill(bases.self), result: fill(bases.result), events: fill(bases.events) };
}

/** `MODULE_PATH`, which `RouterModule` writes on a module class for each application. */
const MODULE_PATH = '__module_path__';

/** The path of a module in `RouterModule`; empty when it has none. */
export function modulePathOf(module: Type, { applicationId }: Pick<ModulesContainer, 'applicationId'>): string {
  const path: unknown =
    Reflect.getMetadata(MODULE_PATH + applicationId, module) ?? Reflect.getMetadata(MODULE_PATH, module);
  return typeof path === 'string' ? path : '';
}

/** One path, without empty segments. */
export function joinPaths(...paths: string[]): string {
  const segments = paths.flatMap((path) => path.split('/')).filter(Boolean);
  return segments.map((segment) => `/${segment}`).join('');
}
