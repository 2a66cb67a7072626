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
