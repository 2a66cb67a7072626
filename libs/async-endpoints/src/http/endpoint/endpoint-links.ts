import type { FactoryProvider, Type } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { StatusRoutesOptions } from '../../options/options.js';
import { areNamed, OPERATION_IDS, type StatusRoute } from '../openapi/describe-status-routes.js';
import { isExcluded, type Link, responsesOf, setResponse } from '../openapi/swagger-metadata.js';
import { discoverEndpoints } from './endpoints.js';

const DESCRIPTIONS: Readonly<Record<StatusRoute, string>> = {
  status: 'Asks how the job stands.',
  result: 'Asks for its bare result.',
  events: 'Follows it.',
  cancel: 'Cancels it.',
};

const LINKS: Readonly<Record<string, Link>> = Object.fromEntries(
  Object.entries(DESCRIPTIONS).map(([route, description]) => [
    route,
    { operationId: OPERATION_IDS[route as StatusRoute], parameters: { id: '$response.body#/id' }, description },
  ]),
);

/**
 * Ties the answers of the application's endpoints to its status routes, where its document has these. When it is put
 * together, because a document is usually made before it starts; and anew for each application that shares a controller.
 */
export function endpointLinks(controller: Type | undefined, routes: StatusRoutesOptions): FactoryProvider<void> {
  return {
    provide: Symbol.for('nestjs-async-endpoints:endpoint-links'),
    useFactory: (discovery: DiscoveryService) => {
      const links = controller && areNamed(routes) && !isExcluded(controller) ? LINKS : {};
      for (const { method } of discoverEndpoints(discovery))
        for (const status of ['200', '202']) link(method, status, links);
    },
    inject: [DiscoveryService],
  };
}

function link(method: object, status: string, links: Readonly<Record<string, Link>>): void {
  const response = responsesOf(method)[status];
  if (!response) return;
  const ours = Object.values(LINKS);
  const others = Object.entries(response.links ?? {}).filter(([, other]) => !ours.includes(other));
  setResponse(method, status, { ...response, links: { ...links, ...Object.fromEntries(others) } });
}
