export { aJob } from './a-job.js';
export { describeJobStore, type StoreUnderTest } from './describe-job-store.js';
export { eventually } from './eventually.js';
export { gate, type Gate } from './gate.js';
export { type Script, Scripted, ScriptedHandler, type ScriptedRun } from './scripted-job.js';
export type { TestFramework } from './test-framework.js';
export { unreliable, type UnreliableJobStore } from './unreliable-job-store.js';
