import { AsyncLocalStorage } from 'node:async_hooks';
import type { JobRecord } from '../job/job.js';
import { RUN_MIDDLEWARE } from './middleware.js';

const scope = new AsyncLocalStorage<JobRecord>();
let followers = 0;

/** The job that this code runs for, or that this line of the log is about, once {@link followJobs} was called. */
export function currentJob(): JobRecord | undefined {
  return scope.getStore();
}

/**
 * From now on {@link currentJob} knows the job of whatever a handler calls, across `await`: what a logger needs. Off
 * unless called, because Node charges every promise for it. Ends with the function that it returns.
 */
export function followJobs(): () => void {
  followers += 1;
  const remove = RUN_MIDDLEWARE.add(({ claim }, next) => scope.run(claim.job, next));
  return () => {
    followers -= 1;
    remove();
  };
}

export function withinJob(job: JobRecord, work: () => void): void {
  if (followers > 0) scope.run(job, work);
  else work();
}
