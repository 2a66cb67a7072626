import { isWaiting, type JobStatus } from '../../job/job.js';
import type { QueueStats } from '../../store/job-store.js';
import { pausedAndEmpty } from '../../store/queue-stats.js';
import type { OpenDatabase } from './open-database.js';
import { statusOf } from './rows.js';
import { decodeText } from '../sql/text.js';

interface Tally {
  readonly name: string;
  readonly status: number;
  readonly count: number;
  readonly bytes: number;
}

/** Reads the tally and the ends of the indexes, so the cost depends on the number of names only. */
export function statsOf({ jobs, statements }: OpenDatabase, now: number): QueueStats[] {
  const paused = new Set((statements.paused.all() as { name: string }[]).map(({ name }) => decodeText(name)));
  const ageOf = (name: string, status: JobStatus): number | null => {
    if (status === 'InProgress') return Math.max(now - jobs.earliestStart(name), 0);
    return isWaiting(status) ? Math.max(now - jobs.earliestDue(name), 0) : null;
  };
  const stats = (statements.tally.all() as Tally[]).map(({ name: stored, status: code, count, bytes }): QueueStats => {
    const name = decodeText(stored);
    const status = statusOf(code);
    const oldestAgeMs = ageOf(name, status);
    return { name, status, count, bytes: isWaiting(status) ? bytes : null, oldestAgeMs, isPaused: paused.has(name) };
  });
  const queued = new Set(stats.filter(({ status }) => status === 'Queued').map(({ name }) => name));
  return [...stats, ...[...paused].filter((name) => !queued.has(name)).map(pausedAndEmpty)];
}
