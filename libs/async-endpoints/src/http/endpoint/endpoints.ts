import { RequestMethod } from '@nestjs/common';
import { type DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { JobDefinition } from '../../job/define-job.js';
import { invalidEndpoint } from '../../job/errors.js';
import { METHOD_METADATA, REDIRECT_METADATA, RENDER_METADATA } from '../../nest/internals.js';
import type { DeclaredValues } from './declared-values.js';
import { findEndpoint } from './endpoint-method.js';
import { refuseWithoutEndpoint } from './submit-job.js';

export interface Endpoint {
  readonly job: JobDefinition;
  readonly values: DeclaredValues;
  /** Controller and method, for messages. */
  readonly where: string;
  readonly method: object;
  /** The class of the controller. */
  readonly controller: object;
}

const METHODS = [RequestMethod.POST, RequestMethod.PUT, RequestMethod.PATCH, RequestMethod.DELETE];

/** Decorators with which Nest would send something else than what the endpoint answers. */
const OTHER_ANSWERS = [
  ['@Redirect', REDIRECT_METADATA],
  ['@Render', RENDER_METADATA],
] as const;

/**
 * Every async endpoint of the application.
 *
 * @throws AsyncEndpointsError `INVALID_ENDPOINT`
 */
export function discoverEndpoints(discovery: DiscoveryService): Endpoint[] {
  const scanner = new MetadataScanner();
  return discovery.getControllers().flatMap(({ metatype, name }) => {
    const prototype = (metatype?.prototype ?? null) as object | null;
    if (!prototype) return [];
    return scanner.getAllMethodNames(prototype).flatMap((key) => {
      const found = findEndpoint(prototype, key);
      if (!found) {
        refuseWithoutEndpoint(prototype, key);
        return [];
      }
      const where = `${name}.${key}`;
      refuseMisuse(where, found.endpoint);
      const { job, values } = found;
      return [{ job, values, where, method: found.endpoint, controller: metatype as object }];
    });
  });
}

function refuseMisuse(where: string, method: object): void {
  const invalid = (message: string) => invalidEndpoint(`${where} ${message}`);
  if (!METHODS.includes(Reflect.getMetadata(METHOD_METADATA, method) as RequestMethod))
    throw invalid('is an @AsyncEndpoint without @Post, @Put, @Patch or @Delete.');
  for (const [decorator, metadata] of OTHER_ANSWERS)
    if (Reflect.hasMetadata(metadata, method))
      throw invalid(`has ${decorator}, but an @AsyncEndpoint answers with a job; remove one of them.`);
}
