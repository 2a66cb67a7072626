export type { Deviation } from './audit.js';
export type { RedisConnectionOptions } from './redis-client.js';
export { RedisJobStore, type RedisJobStoreOptions } from './redis-job-store.js';
