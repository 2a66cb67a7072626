import type { JobStatus } from '../../job/job.js';
import type { QueueStats } from '../../store/job-store.js';
import { pausedAndEmpty } from '../../store/queue-stats.js';
import { decodeText } from '../sql/text.js';

/** The reply of the SQL function `stats`. */
export interface StatsReply {
  readonly paused: readonly string[];
  readonly counts: readonly {
    readonly name: string;
    readonly queued: number;
    readonly scheduled: number;
    readonly running: number;
    readonly completed: number;
    readonly failed: number;
    readonly canceled: number;
    readonly queued_bytes: number;
    readonly scheduled_bytes: number;
    /** How long the earliest has been claimable, or in progress; null when there is none. */
    readonly waiting_ms: number | null;
    readonly running_ms: number | null;
  }[];
}

export function statsOf({ paused, counts }: StatsReply): QueueStats[] {
  const names = new Set(paused.map(decodeText));
  const stats = counts.flatMap((of): QueueStats[] => {
    const name = decodeText(of.name);
    const entry = (status: JobStatus, count: number, bytes: number | null, oldestAgeMs: number | null) => {
      return { name, status, count, bytes, oldestAgeMs, isPaused: names.has(name) };
    };
    return [
      entry('Queued', of.queued, of.queued_bytes, of.waiting_ms),
      entry('Scheduled', of.scheduled, of.scheduled_bytes, of.waiting_ms),
      entry('InProgress', of.running, null, of.running_ms),
      entry('Completed', of.completed, null, null),
      entry('Failed', of.failed, null, null),
      entry('Canceled', of.canceled, null, null),
    ].filter(({ count }) => count > 0);
  });
  const queued = new Set(stats.filter(({ status }) => status === 'Queued').map(({ name }) => name));
  return [...stats, ...[...names].filter((name) => !queued.has(name)).map(pausedAndEmpty)];
}
