import type { Timing } from './timing.js';

/** What a schedule does besides its timing. */
export interface ScheduleOptions {
  /**
   * What becomes of instants that passed while no worker was there.
   *
   * - `once` (the default): one job, for the latest of them
   * - `skip`: none; an instant that is late by up to a minute is not missed
   * - `all`: a job for each, the latest 100, in order; needs `overlap: 'allow'` or `'queue'`
   */
  readonly missed?: 'once' | 'skip' | 'all' | undefined;
  /** Instants that are older than that are not made up for, in ms. Default one day. */
  readonly missedWithinMs?: number | undefined;
  /**
   * What happens at an instant when the last job of the schedule is not finished: it waits or is in progress.
   *
   * - `skip` (the default): nothing
   * - `queue`: one job follows when the last one is finished
   * - `allow`: a job, as always
   */
  readonly overlap?: 'skip' | 'queue' | 'allow' | undefined;
}

/** A schedule that a handler declares. */
export type RecurringOptions<TPayload = unknown> = Timing &
  ScheduleOptions & {
    /** What the handler is given each time. Any JSON. */
    readonly payload?: TPayload | undefined;
    /** −100 to 100; larger runs first among the jobs of its name. Default: the job's own. */
    readonly priority?: number | undefined;
  };

/** A declared schedule with its name. */
export interface Declaration {
  readonly name: string;
  readonly options: RecurringOptions;
}

const METADATA = 'nestjs-async-endpoints:recurring';

/**
 * Has jobs of this handler submitted again and again, by whichever worker is there. A class may have several. A schedule that is
 * no longer declared is removed when the next worker with this handler starts.
 *
 * @param name of the schedule, unique in the store: 1 to 200 characters
 * @example
 * \@AsyncHandler(NightlyReport)
 * \@Recurring('nightly-report', { cron: '0 3 * * *', timeZone: 'Europe/Zurich', payload: { full: true } })
 * export class NightlyReportHandler { … }
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
