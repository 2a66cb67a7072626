import type { QueueStats } from './job-store.js';

/** How many jobs wait to be claimed: of one name, or of all. */
export function depthOf(stats: readonly QueueStats[], name?: string): number {
  return stats
    .filter((entry) => entry.status === 'Queued' || entry.status === 'Scheduled')
    .filter((entry) => name === undefined || entry.name === name)
    .reduce((sum, { count }) => sum + count, 0);
}
