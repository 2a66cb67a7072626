import type { Job, JobError, JobProgress, JobStatus } from '../job/job.js';
import type { Links } from './job-links.js';

/** What clients see of a job. Never its request, headers, owner, worker or token. */
export interface JobRepresentation<TResult = unknown> {
  readonly id: string;
  readonly name: string;
  readonly status: JobStatus;
  readonly retryCount: number;
  readonly maxRetries: number;
  /** ISO 8601, as are the other times. */
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
  readonly lastUpdatedAt: string;
  readonly progress: JobProgress | null;
  readonly result: TResult | null;
  readonly error: JobError | null;
  readonly links: Links;
}

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
