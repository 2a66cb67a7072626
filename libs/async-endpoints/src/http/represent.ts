import type { Job } from '../job/job.js';
import type { JobRepresentation, Links } from '../job/job-representation.js';

export function represent<TResult>(job: Job<TResult>, links: Links): JobRepresentation<TResult> {
  return {
    id: job.id,
    name: job.name,
    status: job.status,
    retryCount: job.retryCount,
    maxRetries: job.maxRetries,
    createdAt: toIso(job.createdAt),
    startedAt: job.startedAt === null ? null : toIso(job.startedAt),
    completedAt: job.completedAt === null ? null : toIso(job.completedAt),
    lastUpdatedAt: toIso(job.lastUpdatedAt),
    progress: job.progress,
    result: job.result,
    error: job.error,
    links,
  };
}

/** Most times of a job, and of those that come with it, are the same. */
let last = { ms: NaN, iso: '' };

function toIso(ms: number): string {
  if (ms !== last.ms) last = { ms, iso: new Date(ms).toISOString() };
  return last.iso;
}
