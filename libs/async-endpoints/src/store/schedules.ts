import type { JobRecord, NewJob } from '../job/job.js';
import type { QueueLimits } from './verbs.js';

/** A schedule as its author gives it. */
export interface NewSchedule {
  /** Unique in the store. */
  readonly name: string;
  /** The name of the jobs that it makes. */
  readonly job: string;
  /** When it is due, as text that no store looks into. Where it changes, the schedule counts from now. */
  readonly timing: string;
  /** Everything else, as JSON text that no store looks into. */
  readonly definition: string;
  /** The instant that comes next, in ms since the epoch; null for never. */
  readonly nextAt: number | null;
}

/** A schedule as it is stored. Times are in ms since the epoch. */
export interface ScheduleRecord extends NewSchedule {
  /** Grows with every change. Whoever moves a schedule on names the version that was read. */
  readonly version: number;
  /** Instants before this time do not count: when its timing was changed, or a pause ended. By the store's clock. */
  readonly countsFrom: number;
  /** The latest instant for which a job was made; null before the first. */
  readonly lastAt: number | null;
  /** The job of that instant, which may be gone. */
  readonly lastJobId: string | null;
  /** When it was paused, by the store's clock; null while it is not. */
  readonly pausedAt: number | null;
  /** Who paused it, as they gave it. */
  readonly pausedBy: string | null;
}

/** Moves a schedule on, with or without a job. */
export interface Firing {
  readonly name: string;
  /** Of the schedule as it was read. */
  readonly version: number;
  readonly nextAt: number | null;
  /** The instant and its job. The store may derive another id from the job's: see `Fired`. */
  readonly run: { readonly at: number; readonly job: NewJob } | null;
  /** What happens while the last job is not finished: nothing but the insert, a move without a job, or nothing at all. */
  readonly overlap: 'allow' | 'skip' | 'queue';
}

/** What became of a firing. */
export type Fired =
  /** The job was inserted, and the schedule moved on. Also where a job with this id was there already. */
  | { readonly outcome: 'fired'; readonly job: JobRecord }
  /** It moved on without a job: none was given, or the last one is not finished (`skip`). */
  | { readonly outcome: 'moved' | 'skipped' }
  /** Nothing happened: the last job is not finished (`queue`), or a queue limit leaves no room. */
  | { readonly outcome: 'unfinished' | 'refused' }
  /** Nothing happened: somebody else moved or changed it, it is paused, or it is gone. */
  | { readonly outcome: 'lost' };

/** Schedules that are due next. */
export interface NextSchedules {
  /** The store's clock, in ms since the epoch. */
  readonly now: number;
  /** The earliest first. */
  readonly schedules: readonly ScheduleRecord[];
}

/**
 * The schedules of a store. Every method takes a batch and returns a reply for each element, in the same order. Each element is
 * one atomic step. What `declare`, `remove`, `pause` and `resume` change is published as a revocation of the worker
 * {@link SCHEDULE_CHANGES}; a firing is not, because all workers look at the instant.
 */
export interface ScheduleStore {
  /**
   * Adds schedules, or replaces those of the same names. One that is known keeps its last run and its pause; where its timing is
   * the same, also its next instant. One that does not change is left alone. Returns each as it stands.
   */
  declare(schedules: readonly NewSchedule[]): Promise<ScheduleRecord[]>;

  /** Removes schedules; their jobs stay. True for each that was there. */
  remove(names: readonly string[]): Promise<boolean[]>;

  /** Pauses schedules, durably. Returns each as it stands, or null for an unknown one. */
  pause(names: readonly string[], by: string | null): Promise<(ScheduleRecord | null)[]>;

  /** Ends the pause of schedules, which count from now. Returns each as it stands, or null for an unknown one. */
  resume(names: readonly string[]): Promise<(ScheduleRecord | null)[]>;

  find(names: readonly string[]): Promise<(ScheduleRecord | null)[]>;

  /** Returns up to `limit` schedules in the order of their names, those after `after`. */
  list(page: { limit: number; after?: string | undefined }): Promise<ScheduleRecord[]>;

  /** Returns up to `limit` schedules of these jobs that are not paused and have a next instant, the earliest first. */
  next(jobs: readonly string[], limit: number): Promise<NextSchedules>;

  /** Moves schedules on, and inserts their jobs in the same step, as long as each stands at the version that was read. */
  fire(firings: readonly Firing[], limits: QueueLimits): Promise<Fired[]>;
}

/** The id of no worker: every worker process hears revocations, so changes of schedules are published as one of this worker. */
export const SCHEDULE_CHANGES = 'async-endpoints:schedules';

/** What is published of a change: no job. */
export const SCHEDULE_CHANGED = { id: '00000000-0000-0000-0000-000000000000', status: null, version: 0 } as const;

/** The schedule once it is declared; the same record where nothing changes. */
export function declared(known: ScheduleRecord | undefined, given: NewSchedule, now: number): ScheduleRecord {
  const { name, job, timing, definition, nextAt } = given;
  if (!known) {
    const fresh = { version: 1, countsFrom: now, lastAt: null, lastJobId: null, pausedAt: null, pausedBy: null };
    return { name, job, timing, definition, nextAt, ...fresh };
  }
  const isTimedAlike = known.timing === timing;
  if (isTimedAlike && known.definition === definition && known.job === job) return known;
  const timed = isTimedAlike ? {} : { timing, nextAt, countsFrom: now };
  return { ...known, job, definition, ...timed, version: known.version + 1 };
}

export function paused(known: ScheduleRecord, by: string | null, now: number): ScheduleRecord {
  if (known.pausedAt !== null) return known;
  return { ...known, pausedAt: now, pausedBy: by, version: known.version + 1 };
}

export function resumed(known: ScheduleRecord, now: number): ScheduleRecord {
  if (known.pausedAt === null) return known;
  return { ...known, pausedAt: null, pausedBy: null, countsFrom: now, version: known.version + 1 };
}

/** @param job that was made for the instant, if any */
export function movedOn(known: ScheduleRecord, { nextAt, run }: Firing, job: JobRecord | null): ScheduleRecord {
  const last = job && run ? { lastAt: run.at, lastJobId: job.id } : {};
  return { ...known, nextAt, ...last, version: known.version + 1 };
}
