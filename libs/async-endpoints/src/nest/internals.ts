/** What Nest's packages do not export from their entry points: the one file to look at when a new version of Nest is out. */
export {
  EXCEPTION_FILTERS_METADATA,
  GUARDS_METADATA,
  INTERCEPTORS_METADATA,
  METHOD_METADATA,
  PATH_METADATA,
  PIPES_METADATA,
  PROPERTY_DEPS_METADATA,
  REDIRECT_METADATA,
  RENDER_METADATA,
  RESPONSE_PASSTHROUGH_METADATA,
  ROUTE_ARGS_METADATA,
  SSE_METADATA,
  VERSION_METADATA,
} from '@nestjs/common/constants.js';
export { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';

/** `CACHE_TTL_METADATA` of @nestjs/cache-manager, the same since 2.0. */
const CACHE_TTL = 'cache_module:cache_ttl';
/** `CLASS_SERIALIZER_OPTIONS` of @nestjs/common, which `@SerializeOptions` writes. */
const SERIALIZER_OPTIONS = 'class_serializer:options';

/** A standard schema for which anything passes, as it is. */
const ANYTHING = {
  '~standard': { version: 1, vendor: 'nestjs-async-endpoints', validate: (value: unknown) => ({ value }) },
};

/**
 * Keeps interceptors of Nest's own packages from spoiling what a route of this library answers:
 *
 * - A global `CacheInterceptor` would answer one client with another's job, because it stores by URL. It has no way to
 *   leave a route out, but it passes a request on when it cannot find the time to live.
 * - A global serializer's `strategy: 'excludeAll'`, type or schema is meant for the application's classes. It would leave
 *   nothing of a job, or refuse it.
 */
export function keepReplies(method: object): void {
  Reflect.defineMetadata(CACHE_TTL, notCached, method);
  const options = { strategy: 'exposeAll', excludePrefixes: [], type: undefined, schema: ANYTHING };
  Reflect.defineMetadata(SERIALIZER_OPTIONS, options, method);
}

function notCached(): never {
  throw new Error('The replies of nestjs-async-endpoints are not cached.');
}
