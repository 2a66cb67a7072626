import type { JobStatus } from '../job/job.js';
import type { ScheduleRecord } from '../store/schedules.js';
import { decodeDefinition } from './definition.js';
import type { RecurringOptions, ScheduleOptions } from './recurring.js';
import { decodeTiming, type Timing } from './timing.js';

/** A schedule that the application makes at run time. */
export type ScheduleInput<TPayload = unknown> = RecurringOptions<TPayload> & {
  /** The owner of its jobs, and of the schedule. Default: no owner. */
  readonly owner?: string | null | undefined;
};

/** A schedule as applications see it. */
export interface Schedule extends Required<ScheduleOptions> {
  readonly name: string;
  /** The name of its jobs. */
  readonly job: string;
  readonly timing: Timing;
  readonly owner: string | null;
  /** Whether a handler declares it, with `@Recurring`; else it was made by `upsert`. */
  readonly isDeclared: boolean;
  /** The next instant; null while it is paused, and when none is left. */
  readonly nextAt: Date | null;
  /** The latest instant for which a job was made. */
  readonly lastAt: Date | null;
  /** The job of that instant. */
  readonly lastJobId: string | null;
  /** The status of that job; null when it is gone. */
  readonly lastStatus: JobStatus | null;
  readonly pausedAt: Date | null;
  readonly pausedBy: string | null;
}

export interface SchedulePage {
  readonly schedules: readonly Schedule[];
  /** Pass it as `after` to get the next page; null on the last page. */
  readonly next: string | null;
}

/** @param lastStatus the status of its last job; null when the job is gone */
export function scheduleOf(record: ScheduleRecord, lastStatus: JobStatus | null): Schedule {
  const { missed, missedWithinMs, overlap, isDeclared, template } = decodeDefinition(record);
  const dateOf = (at: number | null) => (at === null ? null : new Date(at));
  return {
    name: record.name,
    job: record.job,
    timing: decodeTiming(record.timing),
    missed,
    missedWithinMs,
    overlap,
    owner: template.owner,
    isDeclared,
    nextAt: record.pausedAt === null ? dateOf(record.nextAt) : null,
    lastAt: dateOf(record.lastAt),
    lastJobId: record.lastJobId,
    lastStatus,
    pausedAt: dateOf(record.pausedAt),
    pausedBy: record.pausedBy,
  };
}
