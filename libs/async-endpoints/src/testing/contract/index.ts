export { describeJobStore, type StoreUnderTest } from './describe-job-store.js';
export type { TestFramework } from './test-framework.js';
