export { PostgresJobStore } from './postgres-job-store.js';
export type { PostgresJobStoreOptions } from './options.js';
export { schemaSql } from './migrate.js';
