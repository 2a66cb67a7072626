/** The built library. Not a dependency, so that `@nestjs` is resolved from the root for both. */
export * from '../../../libs/async-endpoints/dist/index.js';
export { PostgresJobStore } from '../../../libs/async-endpoints/dist/stores/postgres/index.js';
export { RedisJobStore } from '../../../libs/async-endpoints/dist/stores/redis/index.js';
export { SqliteJobStore } from '../../../libs/async-endpoints/dist/stores/sqlite/index.js';
