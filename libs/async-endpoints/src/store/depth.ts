import type { QueueStats } from './job-store.js';

/** How many jobs wait to be claimed: of one name, or of all. */
export function depthOf(stats: readonly QueueStats[], name?: string): number {
  return stats
    .filter((entry) => entry.status === 'Queued' || entry.status === 'Scheduled')
    .filter((entry) => name === undefined || entry.name === name)
    .reduce((sum, { count }) => sum + count, 0);
}

/** Whether waiting jobs of all names are as many as may wait, or take as many bytes as they may. */
export function isFull(
  stats: readonly QueueStats[],
  limits: { readonly maximumQueueSize: number; readonly maximumQueueBytes: number },
): boolean {
  const bytes = stats.reduce((sum, entry) => sum + (entry.bytes ?? 0), 0);
  return depthOf(stats) >= limits.maximumQueueSize || bytes >= limits.maximumQueueBytes;
}
