import { Inject, Injectable, RequestMethod, type Type, VERSION_NEUTRAL, VersioningType } from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import type { Links } from '../job/job-representation.js';
import { OPTIONS, type ResolvedOptions } from '../options.js';

/** The module that maps the status routes; `RouterModule` may have put it under a path. */
export const STATUS_MODULE = Symbol.for('nestjs-async-endpoints:status-module');

/** `MODULE_PATH`, which Nest writes on a module class for each application. */
const MODULE_PATH = '__module_path__';

interface ExcludedRoute {
  readonly pathRegex: RegExp;
  readonly requestMethod: RequestMethod;
}

/** Where a job's status routes are, as clients see them: path-absolute, below prefix, version and gateway path. */
@Injectable()
export class JobLinks {
  #bases: Links | undefined;

  constructor(
    @Inject(ApplicationConfig) private readonly config: ApplicationConfig,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(STATUS_MODULE) private readonly statusModule: Type,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  of(id: string): Links {
    // Not before the first request: prefix and versioning are set after the module was made.
    const { self, result, events } = (this.#bases ??= this.#findBases());
    return { self: `${self}/${id}`, result: `${result}/${id}/result`, events: `${events}/${id}/events` };
  }

  #findBases(): Links {
    return { self: this.#base('id'), result: this.#base('id/result'), events: this.#base('id/events') };
  }

  /** Each route for itself: an exclusion from the global prefix, which is written without version, may name just one. */
  #base(route: string): string {
    const { path, publicBasePath } = this.options.http;
    const controller = join(this.#modulePath(), path);
    const prefix = this.#isExcluded(`${controller}/${route}`) ? '' : this.config.getGlobalPrefix();
    return publicBasePath + join(prefix, this.#version(), controller);
  }

  #version(): string {
    const versioning = this.config.getVersioning();
    if (versioning?.type !== VersioningType.URI) return '';
    const [version] = [this.options.http.version].flat();
    if (version === undefined || version === VERSION_NEUTRAL) return '';
    return `${versioning.prefix === false ? '' : (versioning.prefix ?? 'v')}${String(version)}`;
  }

  #modulePath(): string {
    const own = MODULE_PATH + this.modules.applicationId;
    return (Reflect.getMetadata(own, this.statusModule) ??
      Reflect.getMetadata(MODULE_PATH, this.statusModule) ??
      '') as string;
  }

  #isExcluded(path: string): boolean {
    const excluded = (this.config.getGlobalPrefixOptions().exclude ?? []) as unknown as ExcludedRoute[];
    const methods: unknown[] = [RequestMethod.ALL, -1, RequestMethod.GET];
    return excluded.some((route) => methods.includes(route.requestMethod) && route.pathRegex.test(path));
  }
}

function join(...paths: string[]): string {
  const segments = paths.flatMap((path) => path.split('/')).filter(Boolean);
  return segments.map((segment) => `/${segment}`).join('');
}
