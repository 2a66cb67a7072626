import { parseJobId } from '../job/job-id.js';
import type { JobStatus } from '../job/job.js';
import type { JobStore } from '../store/job-store.js';
import { listAll } from '../store/loops.js';
import { UsageError } from './exit.js';

/** The selection of the jobs to change: ids, or a filter. */
export interface Selection {
  readonly name?: string;
  readonly status?: JobStatus;
  readonly owner?: string;
  /** The code of the job's error. */
  readonly error?: string;
  readonly all?: boolean;
}

/**
 * The ids of the selected jobs.
 *
 * @param statuses the statuses to select when none is given
 * @throws UsageError when the selection is missing or ambiguous
 */
export async function selectJobs(
  store: JobStore,
  ids: readonly string[],
  { name, status, owner, error, all = false }: Selection,
  statuses: readonly JobStatus[],
): Promise<string[]> {
  const isFiltered = [name, status, owner, error].some((given) => given !== undefined);
  if ([ids.length > 0, isFiltered, all].filter(Boolean).length !== 1) {
    throw new UsageError('No jobs are selected: give ids, or --name, --status, --owner and --error, or --all.');
  }
  if (ids.length > 0) return [...new Set(ids.map(toId))];
  const found: string[] = [];
  for (const one of status ? [status] : statuses) {
    for await (const jobs of listAll(store, { name, owner, status: one, errorCode: error })) {
      found.push(...jobs.map(({ id }) => id));
    }
  }
  return found;
}

/** @throws UsageError */
export function toId(text: string): string {
  const id = parseJobId(text);
  if (id === null) throw new UsageError(`${JSON.stringify(text)} is not a job id; expected a UUID.`);
  return id;
}
