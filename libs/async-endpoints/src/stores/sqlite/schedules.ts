import type { NewJob } from '../../job/job.js';
import type { QueueLimits, Submission } from '../../store/job-store.js';
import * as schedules from '../../store/schedules.js';
import type {
  Fired,
  Firing,
  NewSchedule,
  NextSchedules,
  ScheduleRecord,
  ScheduleStore,
} from '../../store/schedules.js';
import { encodeText } from '../sql/text.js';
import type { OpenDatabase } from './open-database.js';
import { recordOf } from './rows.js';
import { submitJobs } from './submit.js';

interface Access {
  read<T>(work: (database: OpenDatabase, now: number) => T): Promise<T>;
  write<T>(work: (database: OpenDatabase, now: number) => T): Promise<T>;
}

type Row = { readonly entry: string } | undefined;

/** The schedules of a `SqliteJobStore`. */
export class SqliteSchedules implements ScheduleStore {
  constructor(private readonly access: Access) {}

  declare(given: readonly NewSchedule[]): Promise<ScheduleRecord[]> {
    return this.access.write((database, now) =>
      given.map((one) => {
        const known = find(database, one.name);
        const is = schedules.declared(known, one, now);
        return is === known ? is : change(database, is, now);
      }),
    );
  }

  remove(names: readonly string[]): Promise<boolean[]> {
    return this.access.write((database, now) =>
      names.map((name) => {
        if (!find(database, name)) return false;
        database.statements.removeSchedule.run(encodeText(name));
        changed(database, now);
        return true;
      }),
    );
  }

  pause(names: readonly string[], by: string | null): Promise<(ScheduleRecord | null)[]> {
    return this.#each(names, (known, now) => schedules.paused(known, by, now));
  }

  resume(names: readonly string[]): Promise<(ScheduleRecord | null)[]> {
    return this.#each(names, schedules.resumed);
  }

  find(names: readonly string[]): Promise<(ScheduleRecord | null)[]> {
    return this.access.read((database) => names.map((name) => find(database, name) ?? null));
  }

  list({ limit, after = '' }: { limit: number; after?: string | undefined }): Promise<ScheduleRecord[]> {
    return this.access.read(({ statements }) =>
      (statements.listSchedules.all(encodeText(after), limit) as Row[]).map(decode),
    );
  }

  next(jobs: readonly string[], limit: number): Promise<NextSchedules> {
    return this.access.read(({ statements }, now) => {
      const all = jobs.flatMap((job) => statements.nextSchedules.all(encodeText(job), limit) as Row[]).map(decode);
      const inOrder = all.toSorted((a, b) => (a.nextAt as number) - (b.nextAt as number));
      return { now, schedules: inOrder.slice(0, limit) };
    });
  }

  fire(firings: readonly Firing[], limits: QueueLimits): Promise<Fired[]> {
    return this.access.write((database, now) => {
      const store = {
        schedule: (name: string) => find(database, name),
        job: (id: string) => {
          const row = database.jobs.find(id);
          return row && recordOf(row);
        },
        submit: (job: NewJob) => submitJobs(database, [job], limits, now)[0] as Submission,
        keep: (schedule: ScheduleRecord) => keep(database, schedule),
      };
      return firings.map((firing) => schedules.fire(store, firing));
    });
  }

  #each(
    names: readonly string[],
    become: (known: ScheduleRecord, now: number) => ScheduleRecord,
  ): Promise<(ScheduleRecord | null)[]> {
    return this.access.write((database, now) =>
      names.map((name) => {
        const known = find(database, name);
        const is = known && become(known, now);
        return is && is !== known ? change(database, is, now) : (is ?? null);
      }),
    );
  }
}

function find({ statements }: OpenDatabase, name: string): ScheduleRecord | undefined {
  const row = statements.findSchedule.get(encodeText(name)) as Row;
  return row && decode(row);
}

function change(database: OpenDatabase, schedule: ScheduleRecord, now: number): ScheduleRecord {
  keep(database, schedule);
  changed(database, now);
  return schedule;
}

function keep({ statements }: OpenDatabase, schedule: ScheduleRecord): void {
  const { name, job, nextAt, pausedAt } = schedule;
  const isPaused = pausedAt === null ? 0 : 1;
  statements.keepSchedule.run(encodeText(name), encodeText(job), nextAt, isPaused, JSON.stringify(schedule));
}

function changed(database: OpenDatabase, now: number): void {
  database.revoked(schedules.SCHEDULE_CHANGES, schedules.SCHEDULE_CHANGED, now);
}

function decode(row: Row): ScheduleRecord {
  return JSON.parse((row as { entry: string }).entry) as ScheduleRecord;
}
