import { JOB_STATUSES, type JobRecord, type JobStatus } from '../job/job.js';
import type { JobFilter, JobStore } from '../store/job-store.js';

const PAGE = 1_000;

export interface NewestJobs {
  /** Newest first. */
  readonly jobs: readonly JobRecord[];
  /** The number of matching jobs among those that were read. */
  readonly found: number;
  /** The statuses with more jobs than were read. */
  readonly partly: readonly JobStatus[];
}

/**
 * The newest jobs that match. No index has all jobs in the order of submission, so they are read page by page, each status from
 * its latest jobs, and sorted.
 *
 * @param limit the most jobs to keep
 * @param scan the most jobs to read for each status
 */
export async function newestJobs(
  store: JobStore,
  filter: JobFilter,
  { limit, scan }: { limit: number; scan: number },
): Promise<NewestJobs> {
  let jobs: JobRecord[] = [];
  let found = 0;
  const partly: JobStatus[] = [];
  for (const status of statusesOf(filter)) {
    let cursor: string | undefined | null;
    for (let looked = 0; cursor !== null && looked < scan; looked += PAGE) {
      const page = await store.list({ ...filter, status }, { limit: Math.min(PAGE, scan - looked), cursor });
      found += page.jobs.length;
      jobs.push(...page.jobs);
      if (jobs.length > limit + PAGE) jobs = newest(jobs, limit);
      cursor = page.cursor;
    }
    if (cursor !== null) partly.push(status);
  }
  return { jobs: newest(jobs, limit), found, partly };
}

/** A completed job has no error. */
function statusesOf({ status, errorCode }: JobFilter): readonly JobStatus[] {
  if (status !== undefined) return [status];
  return errorCode === undefined ? JOB_STATUSES : JOB_STATUSES.filter((one) => one !== 'Completed');
}

function newest(jobs: readonly JobRecord[], limit: number): JobRecord[] {
  const byTime = (a: JobRecord, b: JobRecord) => b.createdAt - a.createdAt || (a.id < b.id ? -1 : 1);
  return jobs.toSorted(byTime).slice(0, limit);
}
