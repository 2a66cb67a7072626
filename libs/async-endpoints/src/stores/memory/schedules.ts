import type { JobRecord, NewJob } from '../../job/job.js';
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
import type { Subscribers } from '../../store/subscriptions.js';

interface Jobs {
  find(id: string): JobRecord | undefined;
  submit(job: NewJob, limits: QueueLimits, now: number): Submission;
}

/** The schedules of a `MemoryJobStore`, by name. */
export class MemorySchedules implements ScheduleStore {
  readonly #schedules = new Map<string, ScheduleRecord>();

  constructor(
    private readonly now: () => number,
    private readonly subscribers: Subscribers,
    private readonly jobs: Jobs,
  ) {}

  async declare(given: readonly NewSchedule[]): Promise<ScheduleRecord[]> {
    return given.map((one) => this.#put(schedules.declared(this.#schedules.get(one.name), one, this.now())));
  }

  async remove(names: readonly string[]): Promise<boolean[]> {
    const removed = names.map((name) => this.#schedules.delete(name));
    if (removed.includes(true)) this.#changed();
    return removed;
  }

  async pause(names: readonly string[], by: string | null): Promise<(ScheduleRecord | null)[]> {
    return this.#each(names, (known) => schedules.paused(known, by, this.now()));
  }

  async resume(names: readonly string[]): Promise<(ScheduleRecord | null)[]> {
    return this.#each(names, (known) => schedules.resumed(known, this.now()));
  }

  async find(names: readonly string[]): Promise<(ScheduleRecord | null)[]> {
    return names.map((name) => this.#schedules.get(name) ?? null);
  }

  async list({ limit, after }: { limit: number; after?: string | undefined }): Promise<ScheduleRecord[]> {
    const names = [...this.#schedules.keys()].filter((name) => after === undefined || name > after).toSorted();
    return names.slice(0, limit).map((name) => this.#schedules.get(name) as ScheduleRecord);
  }

  async next(jobs: readonly string[], limit: number): Promise<NextSchedules> {
    const waiting = [...this.#schedules.values()].filter(
      ({ job, nextAt, pausedAt }) => nextAt !== null && pausedAt === null && jobs.includes(job),
    );
    const inOrder = waiting.toSorted((a, b) => (a.nextAt as number) - (b.nextAt as number));
    return { now: this.now(), schedules: inOrder.slice(0, limit) };
  }

  async fire(firings: readonly Firing[], limits: QueueLimits): Promise<Fired[]> {
    const store = {
      schedule: (name: string) => this.#schedules.get(name),
      job: (id: string) => this.jobs.find(id),
      submit: (job: NewJob) => this.jobs.submit(job, limits, this.now()),
      keep: (schedule: ScheduleRecord) => void this.#schedules.set(schedule.name, schedule),
    };
    return firings.map((firing) => schedules.fire(store, firing));
  }

  #each(names: readonly string[], change: (known: ScheduleRecord) => ScheduleRecord): (ScheduleRecord | null)[] {
    return names.map((name) => {
      const known = this.#schedules.get(name);
      return known ? this.#put(change(known)) : null;
    });
  }

  #put(schedule: ScheduleRecord): ScheduleRecord {
    if (this.#schedules.get(schedule.name) !== schedule) {
      this.#schedules.set(schedule.name, schedule);
      this.#changed();
    }
    return schedule;
  }

  #changed(): void {
    this.subscribers.notifyWorker(schedules.SCHEDULE_CHANGES, schedules.SCHEDULE_CHANGED);
  }
}
