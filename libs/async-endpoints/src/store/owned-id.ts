import type { JobRecord } from '../job/job.js';
import type { JobStore } from './job-store.js';

/** A job, and whose it must be; null for nobody's. */
export interface OwnedId {
  readonly id: string;
  readonly owner: string | null;
}

export function findOwned(store: JobStore, jobs: readonly OwnedId[]): Promise<(JobRecord | null)[]> {
  return store.find(
    jobs.map(({ id }) => id),
    jobs.map(({ owner }) => owner),
  );
}
