/** The library as it is built: not a dependency, so that `@nestjs` comes from the root for both of us. */
export * from '../../../libs/async-endpoints/dist/index.js';
export { RedisJobStore } from '../../../libs/async-endpoints/dist/stores/redis/index.js';
