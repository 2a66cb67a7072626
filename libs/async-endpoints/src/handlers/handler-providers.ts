import type { DiscoveryService } from '@nestjs/core';
import type { JobDefinition } from '../job/define-job.js';
import { invalidHandler } from '../job/errors.js';
import { handledBy } from './async-handler.js';

export type Provider = ReturnType<DiscoveryService['getProviders']>[number];
export type Class = new (...args: never[]) => object;

/** A provider of the application that handles a job. */
export interface HandlerProvider {
  readonly job: JobDefinition;
  readonly provider: Provider;
  /** The class with the decorator: the token of the provider, or the class of its instance. */
  readonly declaredBy: Class;
}

/**
 * The handlers of the application, one for each job name. The decorator may be on the instantiated class or on the token. So a
 * handler may be provided by a class, factory, value or alias, and a test double that replaces a decorated class handles its job.
 *
 * @throws AsyncEndpointsError `INVALID_HANDLER`
 */
export function handlerProviders(discovery: DiscoveryService): HandlerProvider[] {
  const byName = new Map<string, HandlerProvider>();
  for (const provider of discovery.getProviders()) {
    const found = asHandler(provider);
    if (!found) continue;
    const { name } = found.job;
    const earlier = byName.get(name);
    if (earlier && !isSame(earlier.provider, provider))
      throw invalidHandler(`Job "${name}" has two handlers: ${earlier.provider.name} and ${provider.name}.`);
    byName.set(name, earlier ?? found);
  }
  return [...byName.values()];
}

function asHandler(provider: Provider): HandlerProvider | undefined {
  const implementation = classOf(provider);
  const implemented = handledBy(implementation);
  const declared = handledBy(provider.token);
  const job = implemented?.name === declared?.name ? implemented : (declared ?? implemented);
  if (!job) return undefined;
  const { handle } = (provider.instance ?? {}) as { handle?: unknown };
  if (typeof handle !== 'function' && !isMadeLater(provider))
    throw invalidHandler(`${provider.name} handles job "${job.name}" but has no method handle(request, context).`);
  return { job, provider, declaredBy: (declared ? provider.token : implementation) as Class };
}

/** Does not use `instance.constructor`, because an instance may be a proxy. */
function classOf({ instance, metatype, inject }: Provider): unknown {
  if (typeof instance === 'object' && instance !== null) {
    return (Object.getPrototypeOf(instance) as { constructor?: unknown } | null)?.constructor;
  }
  return inject ? undefined : metatype;
}

/** Whether it is a request-scoped factory, whose instances do not exist yet. */
function isMadeLater(provider: Provider): boolean {
  return !!provider.inject && !isShared(provider);
}

/** Whether all runs share one instance. */
export function isShared(provider: Provider): boolean {
  return provider.isDependencyTreeStatic() && !provider.isTransient;
}

/** Whether two providers are one class in two modules, or a provider and its alias. */
function isSame(a: Provider, b: Provider): boolean {
  if (a.token === b.token || isAlias(a, b) || isAlias(b, a)) return true;
  return (a.instance !== undefined && a.instance === b.instance) || (!!a.metatype && a.metatype === b.metatype);
}

function isAlias(provider: Provider, of: Provider): boolean {
  return provider.isAlias && provider.inject?.[0] === of.token;
}
