import { AsyncEndpointsError } from '../job/errors.js';
import type { JobRecord } from '../job/job.js';
import type { JobStore } from './job-store.js';

type Found = JobRecord | null;

/** Reads jobs in one call. One that cannot be read, as a newer version may have written it, fails for itself alone. */
export async function findJobs(store: JobStore, ids: readonly string[]): Promise<(Found | Promise<Found>)[]> {
  try {
    return await store.find(ids);
  } catch (error) {
    if (ids.length === 1 || error instanceof AsyncEndpointsError) throw error;
    return ids.map(async (id) => (await store.find([id]))[0] ?? null);
  }
}
