import type { JobRecord } from '../job/job.js';
import { publish } from '../observability/channels.js';
import type { JobStore, SweepRhythm } from './job-store.js';

interface RecoverAll {
  readonly batchSize: number;
  readonly maxCrashes: number;
  readonly sweep?: SweepRhythm;
  /** How long leases are, in ms: a heartbeat makes one that ends so much later. All workers have the same, as a rule. */
  readonly leaseMs: number;
}

/**
 * Recovers batch by batch, until no claim with an expired lease is left.
 *
 * @param onBatch is told of each batch
 */
export async function recoverAll(
  store: JobStore,
  { batchSize, maxCrashes, sweep, leaseMs }: RecoverAll,
  onBatch: (jobs: readonly JobRecord[]) => void = () => {},
): Promise<JobRecord[]> {
  const recovered: JobRecord[] = [];
  for (let more = true; more;) {
    const batch = await store.recover({ limit: batchSize, maxCrashes, sweep });
    for (const { job, worker, leaseUntil } of batch) {
      publish('recover', { job, store, vanished: { worker, leaseUntil, heartbeatAt: leaseUntil - leaseMs } });
    }
    const jobs = batch.map(({ job }) => job);
    recovered.push(...jobs);
    onBatch(jobs);
    more = jobs.length === batchSize;
  }
  return recovered;
}
