import { isWaiting } from '../job/job.js';
import type { QueueStats, WorkerInfo } from './verbs.js';

/** The entry in `stats` of a paused name without queued jobs. */
export function pausedAndEmpty(name: string): QueueStats {
  return { name, status: 'Queued', count: 0, bytes: 0, oldestAgeMs: 0, isPaused: true };
}

/** How many jobs wait to be claimed: of one name, or of all. */
export function depthOf(stats: readonly QueueStats[], name?: string): number {
  return stats
    .filter(({ status }) => isWaiting(status))
    .filter((entry) => name === undefined || entry.name === name)
    .reduce((sum, { count }) => sum + count, 0);
}

/** The names that are paused, in order. */
export function pausedNames(stats: readonly QueueStats[]): string[] {
  return [...new Set(stats.filter(({ isPaused }) => isPaused).map(({ name }) => name))].toSorted();
}

/** Whether the waiting jobs of all names have reached the queue limit or the limit in bytes. */
export function isFull(
  stats: readonly QueueStats[],
  limits: { readonly maxQueueSize: number; readonly maxQueueBytes: number },
): boolean {
  const bytes = stats.reduce((sum, entry) => sum + (entry.bytes ?? 0), 0);
  return depthOf(stats) >= limits.maxQueueSize || bytes >= limits.maxQueueBytes;
}

/** The names with waiting jobs that no live worker handles, in order. */
export function unhandledNames(stats: readonly QueueStats[], workers: readonly WorkerInfo[]): string[] {
  const handled = new Set(workers.flatMap(({ names }) => names));
  const waiting = stats.filter(({ status, count }) => isWaiting(status) && count > 0).map(({ name }) => name);
  return [...new Set(waiting)].filter((name) => !handled.has(name)).toSorted();
}
