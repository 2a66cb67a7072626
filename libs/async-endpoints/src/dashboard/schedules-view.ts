import { Inject, Injectable, Logger } from '@nestjs/common';
import { printable } from '../events/error-text.js';
import { JobManager } from '../jobs/job-manager.js';
import type { SchedulePage } from '../schedules/schedule.js';
import { JobStore } from '../store/job-store.js';
import { textOf } from './jobs-view.js';

const PAGE = 200;

/** The actions of the page on a schedule. */
export const SCHEDULE_OPERATIONS = ['trigger', 'pause-schedule', 'resume-schedule'] as const;
export type ScheduleOperation = (typeof SCHEDULE_OPERATIONS)[number];

export function isOfSchedules(operation: string): operation is ScheduleOperation {
  return (SCHEDULE_OPERATIONS as readonly string[]).includes(operation);
}

/** The schedules of recurring jobs, without their payloads; for visitors who see the jobs of all owners. */
@Injectable()
export class SchedulesView {
  readonly #log = new Logger('AsyncDashboard');

  constructor(
    @Inject(JobManager) private readonly manager: JobManager,
    @Inject(JobStore) private readonly store: JobStore,
  ) {}

  async list(query: Record<string, unknown>): Promise<SchedulePage> {
    const after = textOf(query, 'after');
    if (!this.store.schedules) return { schedules: [], next: null };
    return this.manager.schedules.list({ limit: PAGE, after });
  }

  /** @returns how many schedules the action changed */
  async act(operation: ScheduleOperation, names: readonly string[], by: string | null): Promise<{ changed: number }> {
    for (const name of names) await this.#act(operation, name, by);
    const who = JSON.stringify(by ?? 'an unnamed visitor');
    const what = names.map((name) => JSON.stringify(name)).join(', ');
    this.#log.log(printable(`${operation} of ${what.slice(0, 500)} by ${who}`));
    return { changed: names.length };
  }

  async #act(operation: ScheduleOperation, name: string, by: string | null): Promise<void> {
    const { schedules } = this.manager;
    if (operation === 'trigger') await schedules.trigger(name);
    else if (operation === 'pause-schedule') await schedules.pause(name, { by });
    else await schedules.resume(name);
  }
}
