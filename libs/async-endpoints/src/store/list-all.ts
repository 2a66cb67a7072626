import type { JobRecord } from '../job/job.js';
import type { JobFilter, JobStore } from './job-store.js';

const PAGE = 1_000;

/** Every job that matches, page by page. */
export async function* listAll(store: JobStore, filter: JobFilter): AsyncGenerator<readonly JobRecord[], void> {
  for (let cursor: string | undefined | null; cursor !== null;) {
    const page = await store.list(filter, { limit: PAGE, cursor });
    yield page.jobs;
    cursor = page.cursor;
  }
}

/** The jobs, of one name or of all, that have been running for at least this long. */
export async function stuckJobs(store: JobStore, runningForMs: number, name?: string): Promise<JobRecord[]> {
  const stuck: JobRecord[] = [];
  for await (const jobs of listAll(store, { name, status: 'InProgress', runningForMs })) stuck.push(...jobs);
  return stuck;
}
