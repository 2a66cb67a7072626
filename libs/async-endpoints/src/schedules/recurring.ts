import type { Timing } from './timing.js';

/** Options of a schedule besides its timing. */
export interface ScheduleOptions {
  /**
   * What happens to instants that passed while no worker was running.
   *
   * - `once` (the default): one job, for the latest of them
   * - `skip`: no job; an instant that is late by up to a minute does not count as missed
   * - `all`: a job for each, the latest 100, in order; needs `overlap: 'allow'` or `'queue'`
   */
  readonly missed?: 'once' | 'skip' | 'all' | undefined;
  /** Missed instants that are older than this get no job. In ms; default one day. */
  readonly missedWithinMs?: number | undefined;
  /**
   * What happens at an instant when the last job of the schedule is not terminal (it waits or is in progress).
   *
   * - `skip` (the default): nothing
   * - `queue`: one job follows when the last one is finished
   * - `allow`: a job is submitted as usual
   */
  readonly overlap?: 'skip' | 'queue' | 'allow' | undefined;
}

/** A schedule that a handler declares. */
export type RecurringOptions<TPayload = unknown> = Timing &
  ScheduleOptions & {
    /** The payload of each job. Any JSON value. */
    readonly payload?: TPayload | undefined;
    /**
     * −100 to 100; a job with a larger priority runs first among the jobs of its name. Default: the priority of the job
     * definition.
     */
    readonly priority?: number | undefined;
  };

/** A declared schedule with its name. */
export interface Declaration {
  readonly name: string;
  readonly options: RecurringOptions;
}

const METADATA = 'nestjs-async-endpoints:recurring';

/**
 * Declares a schedule that submits jobs for this handler. Any worker may submit them. A class may have several schedules. When
 * a worker with this handler starts, it removes the schedules that the class no longer declares.
 *
 * @param name of the schedule, unique in the store: 1 to 200 characters
 * @example
 * \@AsyncHandler(NightlyReport) \@Recurring('nightly-report', { cron: '0 3 * * *', timeZone: 'Europe/Zurich', payload: { full:
 * true } }) export class NightlyReportHandler { … }
 */
export function Recurring<TPayload = unknown>(name: string, options: RecurringOptions<TPayload>) {
  return <
    THandler extends new (...args: never[]) => { readonly handle: (payload: TPayload, context: never) => unknown },
  >(
    target: THandler,
  ): void => {
    Reflect.defineMetadata(METADATA, [{ name, options }, ...declarationsOf(target)], target);
  };
}

/** The schedules that a handler class declares. */
export function declarationsOf(type: object): readonly Declaration[] {
  return (Reflect.getOwnMetadata(METADATA, type) ?? []) as Declaration[];
}
