import type { JobRecord } from '../job/job.js';
import { publish } from '../observability/channels.js';
import type { JobStore } from './job-store.js';

/**
 * Recovers batch by batch, until no claim with an expired lease is left.
 *
 * @param onBatch is told of each batch
 */
export async function recoverAll(
  store: JobStore,
  { batchSize, maxCrashes }: { batchSize: number; maxCrashes: number },
  onBatch: (jobs: readonly JobRecord[]) => void = () => {},
): Promise<JobRecord[]> {
  const recovered: JobRecord[] = [];
  for (let more = true; more;) {
    const jobs = await store.recover({ limit: batchSize, maxCrashes });
    for (const job of jobs) publish('recover', { job, store });
    recovered.push(...jobs);
    onBatch(jobs);
    more = jobs.length === batchSize;
  }
  return recovered;
}
