import { Injectable } from '@nestjs/common';
import { JobManager, type Schedule } from 'nestjs-async-endpoints';
import { NightlyReport } from './nightly-report.js';

@Injectable()
export class Reminders {
  constructor(private readonly jobs: JobManager) {}

  /** Every Monday at the user's own time. Calling it again changes the schedule. */
  weekly(user: string, hour: number, timeZone: string): Promise<Schedule> {
    const timing = { cron: `0 ${hour} * * MON`, timeZone };
    return this.jobs.schedules.upsert(`weekly:${user}`, NightlyReport, {
      ...timing,
      owner: user,
      payload: { full: false },
    });
  }

  async stop(user: string): Promise<void> {
    await this.jobs.schedules.remove(`weekly:${user}`);
  }
}
