import { isTerminal, type JobRecord, type NewJob } from '../job/job.js';
import type { QueueLimits, Submission } from './verbs.js';

/** A schedule as it is declared. */
export interface NewSchedule {
  /** Unique in the store. */
  readonly name: string;
  /** The name of its jobs. */
  readonly job: string;
  /**
   * When the schedule runs, as text that stores do not interpret. When the text changes, instants before the change no longer
   * count.
   */
  readonly timing: string;
  /** Everything else, as JSON text that stores do not interpret. */
  readonly definition: string;
  /** The next instant, in ms since the epoch; null when there is none. */
  readonly nextAt: number | null;
}

/** A schedule as it is stored. Times are in ms since the epoch. */
export interface ScheduleRecord extends NewSchedule {
  /** Grows with every change. A firing names the version that it read. */
  readonly version: number;
  /**
   * Instants before this time do not count. It is the time, by the store's clock, of the last change of the timing or the end of
   * the last pause.
   */
  readonly countsFrom: number;
  /** The latest instant for which a job was submitted; null before the first. */
  readonly lastAt: number | null;
  /** The id of the job of that instant. The job may have been purged. */
  readonly lastJobId: string | null;
  /** When the schedule was paused, by the store's clock; null when it is not paused. */
  readonly pausedAt: number | null;
  /** Who paused the schedule, as given to `pause`. */
  readonly pausedBy: string | null;
}

/** Advances a schedule to its next instant, with or without a job. */
export interface Firing {
  readonly name: string;
  /** The version of the schedule as it was read. */
  readonly version: number;
  readonly nextAt: number | null;
  /** The instant and its job; null for none. The store may derive another id from the job's: see `Fired`. */
  readonly run: { readonly at: number; readonly job: NewJob } | null;
  /**
   * What to do while the last job is not terminal: `allow` inserts the job as usual, `skip` advances without a job, `queue`
   * changes nothing.
   */
  readonly overlap: 'allow' | 'skip' | 'queue';
}

/** The outcome of a firing. */
export type Fired =
  /** The job was inserted, or a job with this id existed, and the schedule advanced. */
  | { readonly outcome: 'fired'; readonly job: JobRecord }
  /** The schedule advanced without a job: none was given (`moved`), or the last job is not terminal (`skipped`). */
  | { readonly outcome: 'moved' | 'skipped' }
  /** Nothing changed: the last job is not terminal (`unfinished`), or a queue limit is reached (`refused`). */
  | { readonly outcome: 'unfinished' | 'refused' }
  /** Nothing changed: the schedule has another version by now, is paused, or was removed. */
  | { readonly outcome: 'lost' };

/** The schedules with the earliest next instants. */
export interface NextSchedules {
  /** The store's clock, in ms since the epoch. */
  readonly now: number;
  /** The earliest first. */
  readonly schedules: readonly ScheduleRecord[];
}

/**
 * The schedules of a store. Every method takes a batch and returns a reply for each element, in the same order. Each element is
 * one atomic step. Changes by `declare`, `remove`, `pause` and `resume` are published as a revocation of the worker {@link
 * SCHEDULE_CHANGES}. A firing is not published, because all workers look at each instant anyway.
 */
export interface ScheduleStore {
  /**
   * Adds schedules, or replaces those with the same names. A known schedule keeps its last run and its pause, and with the same
   * timing its next instant. A schedule without a change keeps its version. Returns each stored schedule.
   */
  declare(schedules: readonly NewSchedule[]): Promise<ScheduleRecord[]>;

  /** Removes schedules; their jobs stay. True for each schedule that existed. */
  remove(names: readonly string[]): Promise<boolean[]>;

  /** Pauses schedules until they are resumed. Returns each stored schedule, or null for an unknown one. */
  pause(names: readonly string[], by: string | null): Promise<(ScheduleRecord | null)[]>;

  /**
   * Ends the pause of schedules. Instants before now no longer count. Returns each stored schedule, or null for an unknown one.
   */
  resume(names: readonly string[]): Promise<(ScheduleRecord | null)[]>;

  find(names: readonly string[]): Promise<(ScheduleRecord | null)[]>;

  /** Returns up to `limit` schedules in the order of their names, those after `after`. */
  list(page: { limit: number; after?: string | undefined }): Promise<ScheduleRecord[]>;

  /** Returns up to `limit` schedules of these jobs that are not paused and have a next instant, the earliest first. */
  next(jobs: readonly string[], limit: number): Promise<NextSchedules>;

  /** Advances schedules and inserts their jobs in the same step, when the stored version is the one that was read. */
  fire(firings: readonly Firing[], limits: QueueLimits): Promise<Fired[]>;
}

/**
 * A reserved worker id. Every worker process receives revocations, so changes of schedules are published as revocations of this
 * id.
 */
export const SCHEDULE_CHANGES = 'async-endpoints:schedules';

/** The published change. It refers to no job. */
export const SCHEDULE_CHANGED = { id: '00000000-0000-0000-0000-000000000000', status: null, version: 0 } as const;

/** The parts of a store that decides in TypeScript. Each call of `fire` is one atomic step. */
interface FiringStore {
  schedule(name: string): ScheduleRecord | undefined;
  job(id: string): JobRecord | undefined;
  submit(job: NewJob): Submission;
  keep(schedule: ScheduleRecord): void;
}

/** Advances one schedule and submits its job. */
export function fire(store: FiringStore, firing: Firing): Fired {
  const { run, overlap } = firing;
  const known = store.schedule(firing.name);
  if (known?.version !== firing.version || known.pausedAt !== null) return { outcome: 'lost' };
  const last = known.lastJobId === null ? undefined : store.job(known.lastJobId);
  const isBusy = run !== null && overlap !== 'allow' && last !== undefined && !isTerminal(last.status);
  if (isBusy && overlap === 'queue') return { outcome: 'unfinished' };
  const submission = run && !isBusy ? store.submit(run.job) : null;
  if (submission?.outcome === 'refused') return { outcome: 'refused' };
  const job = submission && 'job' in submission ? submission.job : submission && run && store.job(run.job.id);
  store.keep(movedOn(known, firing, job ?? null));
  return job ? { outcome: 'fired', job } : { outcome: isBusy ? 'skipped' : 'moved' };
}

/** The schedule after it is declared; the same object when nothing changes. */
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

/** @param job the job of the instant, if there is one */
export function movedOn(known: ScheduleRecord, { nextAt, run }: Firing, job: JobRecord | null): ScheduleRecord {
  const last = job && run ? { lastAt: run.at, lastJobId: job.id } : {};
  return { ...known, nextAt, ...last, version: known.version + 1 };
}
