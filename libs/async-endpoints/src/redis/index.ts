export type { Deviation } from './audit.js';
export type { RedisConnectionOptions } from './redis-client.js';
export { RedisJobStore } from './redis-job-store.js';
export type { RedisJobStoreOptions } from './redis-options.js';
export { accessRules, type AccessOptions } from './access.js';
