export { SqliteJobStore } from './sqlite-job-store.js';
export type { SqliteJobStoreOptions } from './options.js';
