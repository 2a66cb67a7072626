export type { Deviation } from './audit.js';
export type { RedisConnectionOptions } from './client.js';
export { RedisJobStore } from './redis-job-store.js';
export type { RedisJobStoreOptions } from './options.js';
export { accessRules, type AccessOptions } from './access.js';
