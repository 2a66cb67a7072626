import { Inject, Injectable, type NestInterceptor, type Type } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { from, lastValueFrom, of } from 'rxjs';
import { ExecutionContextHost, SERIALIZER_OPTIONS } from '../nest/internals.js';
import type { JobHandler } from './async-handler.js';
import { type ClassTransformer, loadClassTransformer } from './class-transformer.js';
import type { Class } from './handler-providers.js';

/**
 * Serializes results as JSON. Instances of classes are serialized as in the response of a synchronous route: by the global
 * serializers of the application, such as `ClassSerializerInterceptor`. Without one, `@Exclude`, `@Expose` and `@Transform` apply
 * all the same, so that a job never shows a hidden property.
 */
@Injectable()
export class ResultSerializer {
  #serializers: readonly NestInterceptor[] = [];
  #classTransformer: ClassTransformer | undefined;

  constructor(@Inject(ApplicationConfig) private readonly config: ApplicationConfig) {}

  /** Call it when the application is ready, because `useGlobalInterceptors` is called after the modules are created. */
  async open(): Promise<void> {
    this.#serializers = this.config.getGlobalInterceptors().filter(isSerializer);
    this.#classTransformer = await loadClassTransformer();
  }

  /** @returns undefined when the value has no JSON form, such as a function */
  stringify(result: unknown, handler: Class): string | undefined | Promise<string | undefined> {
    if (this.#serializers.length > 0) return this.#serialized(result, handler);
    const library = this.#classTransformer;
    if (!library || !hasInstances(result)) return JSON.stringify(result);
    return JSON.stringify(result, (_key, value: unknown) =>
      isInstance(value) && library.describes(value as object) ? library.toPlain(value as object) : value,
    );
  }

  /**
   * Plain results are not serialized, unless the handler has serialize options of its own: `excludeAll` would remove all their
   * properties.
   */
  async #serialized(result: unknown, handler: Class): Promise<string | undefined> {
    const type = handler as Type<JobHandler>;
    const method = type.prototype.handle as ((...args: unknown[]) => unknown) | undefined;
    const hasOptions = [method, type].some((target) => target && Reflect.hasMetadata(SERIALIZER_OPTIONS, target));
    if (!hasOptions && !hasInstances(result)) return JSON.stringify(result);
    const context = new ExecutionContextHost([], type, method ?? type);
    context.setType('async-job');
    let plain = result;
    for (const serializer of this.#serializers.toReversed()) {
      const given = plain;
      plain = await lastValueFrom(from(await serializer.intercept(context, { handle: () => of(given) })));
    }
    return JSON.stringify(plain);
  }
}

/** The serializers of Nest and their subclasses have this method. */
function isSerializer(interceptor: NestInterceptor): boolean {
  return typeof (interceptor as { serialize?: unknown }).serialize === 'function';
}

function hasInstances(result: unknown): boolean {
  try {
    return findsInstance(result);
  } catch {
    return true; // it is circular, or a getter throws: JSON.stringify reports that later
  }
}

/** Searches arrays and plain objects for the first instance of a class. */
function findsInstance(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(findsInstance);
  if (isInstance(value)) return true;
  for (const key in value) if (findsInstance((value as Record<string, unknown>)[key])) return true;
  return false;
}

/** Dates do not count: they have one JSON form. */
function isInstance(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== Object.prototype && prototype !== null && !(value instanceof Date);
}
