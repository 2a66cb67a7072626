/** Parts of Nest that its packages do not export. Check this file for each new version of Nest. */
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
export const SERIALIZER_OPTIONS = 'class_serializer:options';

/** A standard schema that accepts any value unchanged. */
const ANYTHING = {
  '~standard': { version: 1, vendor: 'nestjs-async-endpoints', validate: (value: unknown) => ({ value }) },
};

/**
 * Keeps interceptors of Nest's packages from changing the responses of this library's routes:
 *
 * - A global `CacheInterceptor` would send the job of one client to another, because it caches by URL. It cannot exclude a route,
 * but it does not cache when the time to live cannot be determined.
 * - The options of a global serializer (`strategy: 'excludeAll'`, type or schema) are meant for the classes of the application.
 * They would remove all properties of a job, or refuse it.
 */
export function keepReplies(method: object): void {
  Reflect.defineMetadata(CACHE_TTL, notCached, method);
  const options = { strategy: 'exposeAll', excludePrefixes: [], type: undefined, schema: ANYTHING };
  Reflect.defineMetadata(SERIALIZER_OPTIONS, options, method);
}

function notCached(): never {
  throw new Error('The replies of nestjs-async-endpoints are not cached.');
}
