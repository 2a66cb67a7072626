export { aJob, aWorkerInfo } from './a-job.js';
export { aJobContext, type JobContextParts, TestJobContext } from './a-job-context.js';
export { eventually } from './gate.js';
export { gate, type Gate } from './gate.js';
export { runJobs } from './run-jobs.js';
export { type Script, Scripted, ScriptedHandler, type ScriptedRun } from './scripted-job.js';
export { TestJobStore } from './test-job-store.js';
export { unreliable, type UnreliableJobStore } from './unreliable-job-store.js';
