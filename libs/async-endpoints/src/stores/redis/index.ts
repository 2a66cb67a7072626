export type { Deviation } from './audit.js';
export { RedisJobStore } from './redis-job-store.js';
export type { RedisConnectionOptions, RedisJobStoreOptions } from './options.js';
export { accessRules, type AccessOptions } from './access.js';
