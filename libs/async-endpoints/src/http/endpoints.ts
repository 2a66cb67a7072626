import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA } from '@nestjs/common/constants.js';
import { type DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { JobDefinition } from '../job/define-job.js';
import { AsyncEndpointsError } from '../job/errors.js';
import { ENDPOINT_METADATA } from './async-endpoint.js';

export interface Endpoint {
  readonly job: JobDefinition;
  /** Controller and method, for messages. */
  readonly where: string;
  readonly method: object;
}

const METHODS = [RequestMethod.POST, RequestMethod.PUT, RequestMethod.PATCH, RequestMethod.DELETE];

/**
 * Every async endpoint of the application.
 *
 * @throws AsyncEndpointsError `INVALID_ENDPOINT`
 */
export function discoverEndpoints(discovery: DiscoveryService): Endpoint[] {
  const scanner = new MetadataScanner();
  return discovery.getControllers().flatMap(({ metatype, name }) => {
    const prototype = (metatype?.prototype ?? null) as Record<string, object> | null;
    return scanner.getAllMethodNames(prototype).flatMap((key) => {
      const method = prototype?.[key] as object;
      const job = Reflect.getMetadata(ENDPOINT_METADATA, method) as JobDefinition | undefined;
      if (!job) return [];
      const where = `${name}.${key}`;
      const requestMethod = Reflect.getMetadata(METHOD_METADATA, method) as RequestMethod;
      if (METHODS.includes(requestMethod)) return [{ job, where, method }];
      throw new AsyncEndpointsError(
        'INVALID_ENDPOINT',
        `${where} is an @AsyncEndpoint without @Post, @Put, @Patch or @Delete.`,
      );
    });
  });
}
