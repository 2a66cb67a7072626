import { Inject, Injectable, RequestMethod, type Type, VERSION_NEUTRAL, VersioningType } from '@nestjs/common';
import { ApplicationConfig, MetadataScanner, ModulesContainer } from '@nestjs/core';
import { invalidOption } from '../../job/errors.js';
import { METHOD_METADATA, PATH_METADATA, VERSION_METADATA } from '../../nest/internals.js';
import { OPTIONS, type ResolvedOptions } from '../../options/options.js';
import { joinPaths, modulePathOf, STATUS_CONTROLLER, STATUS_MODULE } from '../reply/job-links.js';

interface Route {
  readonly where: string;
  readonly method: RequestMethod;
  readonly path: string;
}

/** Finds routes of the application that requests for a job would reach, or whose requests would reach a status route. */
@Injectable()
export class RouteCollisions {
  readonly #scanner = new MetadataScanner();

  constructor(
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(STATUS_MODULE) private readonly statusModule: Type,
    @Inject(STATUS_CONTROLLER) private readonly controller: Type | null,
    @Inject(ApplicationConfig) private readonly config: ApplicationConfig,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * To be called before routes are mapped: Fastify would refuse one that is there twice in words of its own, and Express take
   * the first.
   *
   * @throws AsyncEndpointsError `INVALID_OPTION`
   */
  refuse(): void {
    if (!this.controller) return;
    const ours = this.#routesOf(this.controller, modulePathOf(this.statusModule, this.modules));
    const collision = this.#routes().find((route) => ours.some((status) => meets(route, status)));
    if (!collision) return;
    const { where, method } = collision;
    throw invalidOption(
      `http.path is "${this.options.http.path}", but ${where} (${RequestMethod[method]} ${collision.path}) is in the way of the status routes there. ` +
        'Give http.path another value, such as "async-jobs".',
    );
  }

  #routes(): Route[] {
    return [...this.modules.values()].flatMap((module) => {
      const modulePath = modulePathOf(module.metatype, this.modules);
      const controllers = [...module.controllers.values()].map(({ metatype }) => metatype as Type | null);
      return controllers.flatMap((controller) =>
        controller && controller !== this.controller ? this.#routesOf(controller, modulePath) : [],
      );
    });
  }

  #routesOf(controller: Type, modulePath: string): Route[] {
    const prototype = controller.prototype as Record<string, object>;
    return this.#scanner.getAllMethodNames(prototype).flatMap((key) => {
      const handler = prototype[key] as object;
      if (!Reflect.hasMetadata(PATH_METADATA, handler) || this.#isElsewhere(controller, handler)) return [];
      const method = (Reflect.getMetadata(METHOD_METADATA, handler) ?? RequestMethod.GET) as RequestMethod;
      const pairs = pathsOf(controller).flatMap((base) => pathsOf(handler).map((path) => [base, path] as const));
      return pairs.map(([base, path]) => ({
        where: `${controller.name}.${key}`,
        method,
        path: joinPaths(modulePath, base, path),
      }));
    });
  }

  /** With the version in its path, where the status routes have none or another. */
  #isElsewhere(controller: Type, handler: object): boolean {
    const versioning = this.config.getVersioning();
    if (versioning?.type !== VersioningType.URI) return false;
    const own = (Reflect.getMetadata(VERSION_METADATA, handler) ??
      Reflect.getMetadata(VERSION_METADATA, controller)) as unknown;
    const theirs = versions(own ?? versioning.defaultVersion);
    return !versions(this.options.http.version).some((version) => theirs.includes(version));
  }
}

function versions(version: unknown): unknown[] {
  return [version ?? VERSION_NEUTRAL].flat();
}

function pathsOf(target: object): string[] {
  const paths = [Reflect.getMetadata(PATH_METADATA, target) as unknown].flat();
  return paths.map((path) => (typeof path === 'string' ? path : ''));
}

/** Not with wildcards: a page for everything that is not found is an application's own affair. */
function meets(theirs: Route, ours: Route): boolean {
  const methods = [ours.method, RequestMethod.ALL, ...(ours.method === RequestMethod.GET ? [RequestMethod.HEAD] : [])];
  if (!methods.includes(theirs.method)) return false;
  const [their, our] = [theirs.path.split('/'), ours.path.split('/')];
  return their.length === our.length && their.every((segment, at) => isEither(segment, our[at] as string));
}

function isEither(their: string, our: string): boolean {
  if (/[*{}()]/.test(their)) return false;
  return their === our || their.startsWith(':') || our.startsWith(':');
}
