import { Inject, Injectable, type NestInterceptor, type Type } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { from, lastValueFrom, of } from 'rxjs';
import { ExecutionContextHost } from '../nest/internals.js';
import type { JobHandler } from './async-handler.js';
import { type ClassTransformer, loadClassTransformer } from './class-transformer.js';
import type { Class } from './handler-providers.js';

/** Where `@SerializeOptions` keeps what it is given. */
const SERIALIZE_OPTIONS = 'class_serializer:options';

/**
 * Writes results as JSON, instances of classes as the application would send them from a synchronous route: through its
 * global serializers, such as `ClassSerializerInterceptor`. Without one, `@Exclude`, `@Expose` and `@Transform` are
 * followed all the same: a property that must not be shown must not be shown in a job either.
 */
@Injectable()
export class ResultSerializer {
  #serializers: readonly NestInterceptor[] = [];
  #classTransformer: ClassTransformer | undefined;

  constructor(@Inject(ApplicationConfig) private readonly config: ApplicationConfig) {}

  /** Once the application is ready: `useGlobalInterceptors` comes after the modules are made. */
  async open(): Promise<void> {
    this.#serializers = this.config.getGlobalInterceptors().filter(isSerializer);
    this.#classTransformer = await loadClassTransformer();
  }

  /** @returns undefined where JSON has no text for it, as of a function */
  stringify(result: unknown, handler: Class): string | undefined | Promise<string | undefined> {
    if (this.#serializers.length > 0) return this.#serialized(result, handler);
    const library = this.#classTransformer;
    if (!library || !hasInstances(result)) return JSON.stringify(result);
    return JSON.stringify(result, (_key, value: unknown) =>
      isInstance(value) && library.describes(value as object) ? library.toPlain(value as object) : value,
    );
  }

  /** Plain results stay as they are, unless the handler has options of its own: `excludeAll` would leave nothing of them. */
  async #serialized(result: unknown, handler: Class): Promise<string | undefined> {
    const type = handler as Type<JobHandler>;
    const method = type.prototype.handle as ((...args: unknown[]) => unknown) | undefined;
    const hasOptions = [method, type].some((target) => target && Reflect.hasMetadata(SERIALIZE_OPTIONS, target));
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

/** Nest's own serializers have such a method, and so has whatever extends them. */
function isSerializer(interceptor: NestInterceptor): boolean {
  return typeof (interceptor as { serialize?: unknown }).serialize === 'function';
}

function hasInstances(result: unknown): boolean {
  try {
    return findsInstance(result);
  } catch {
    return true; // it refers to itself, or a getter throws: whoever writes it says so
  }
}

/** Looks into lists and plain objects, up to the first instance of a class. */
function findsInstance(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(findsInstance);
  if (isInstance(value)) return true;
  for (const key in value) if (findsInstance((value as Record<string, unknown>)[key])) return true;
  return false;
}

/** Dates are values: JSON has one form for them. */
function isInstance(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== Object.prototype && prototype !== null && !(value instanceof Date);
}
