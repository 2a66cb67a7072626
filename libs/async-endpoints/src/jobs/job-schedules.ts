import { Inject, Injectable } from '@nestjs/common';
import type { JobDefinition } from '../job/define-job.js';
import { decodeJob } from '../job/decode-job.js';
import { boundedLimit, checkLength } from '../job/bounds.js';
import { AsyncEndpointsError, invalidOption } from '../job/errors.js';
import type { Job } from '../job/job.js';
import { JobPolicies } from '../options/policies.js';
import { checkScheduleName, encodeDefinition, isReadable } from '../schedules/definition.js';
import type { Declaration } from '../schedules/recurring.js';
import { type Schedule, type ScheduleInput, scheduleOf, type SchedulePage } from '../schedules/schedule.js';
import { decodeTiming, encodeTiming, loadCroner, nextInstant } from '../schedules/timing.js';
import { triggerSchedule } from '../schedules/trigger.js';
import { JobStore } from '../store/job-store.js';
import type { NewSchedule, ScheduleRecord, ScheduleStore } from '../store/schedules.js';
import { newJob } from './new-job.js';

const MOST_LISTED = 1_000;
const LONGEST_BY = 1_000;

/** The schedules of recurring jobs, as `JobManager.schedules`. Any process of the application may use it, with `role: 'api'` too. */
@Injectable()
export class JobSchedules {
  constructor(
    @Inject(JobStore) private readonly store: JobStore,
    @Inject(JobPolicies) private readonly policies: JobPolicies,
  ) {}

  /**
   * Adds a schedule, or replaces the one of this name. When its timing changes, it counts from now. It keeps its pause.
   *
   * @param name 1 to 200 characters
   * @throws AsyncEndpointsError `INVALID_OPTION`, `PAYLOAD_TOO_LARGE`, `PAYLOAD_NOT_SERIALIZABLE`, `STORE_UNAVAILABLE`
   */
  async upsert<TPayload>(
    name: string,
    job: JobDefinition<TPayload, unknown, unknown> | string,
    schedule: ScheduleInput<TPayload>,
  ): Promise<Schedule> {
    const [record] = await this.#declare([await this.#newSchedule(name, job, schedule, false)]);
    return this.#one(record as ScheduleRecord);
  }

  /**
   * Declares the schedules of a handler.
   *
   * @internal
   */
  async declare(declarations: readonly (Declaration & { readonly job: string })[]): Promise<ScheduleRecord[]> {
    const given = declarations.map(({ name, job, options }) => this.#newSchedule(name, job, options, true));
    return this.#declare(await Promise.all(given));
  }

  /**
   * Refuses declarations that could only fail later.
   *
   * @internal
   * @throws AsyncEndpointsError `INVALID_OPTION`
   */
  async check(declarations: readonly (Declaration & { readonly job: string })[]): Promise<void> {
    if (declarations.length > 0) schedulesOf(this.store);
    const names = new Set<string>();
    for (const { name, job, options } of declarations) {
      await this.#newSchedule(name, job, options, true);
      if (names.has(name)) {
        throw invalidOption(`Schedule ${JSON.stringify(name)} is declared twice; each name is unique.`);
      }
      names.add(name);
    }
  }

  /** Returns the schedule, or null when there is none. */
  async find(name: string): Promise<Schedule | null> {
    const [record] = await this.#schedules.find([name]);
    return record && isReadable(record) ? this.#one(record) : null;
  }

  /**
   * Returns schedules in the order of their names, without those that only a newer release understands.
   *
   * @param page `limit` from 1 to 1000, default 100; `after`: the `next` of the page before
   */
  async list({ limit = 100, after }: { limit?: number; after?: string | undefined } = {}): Promise<SchedulePage> {
    const most = boundedLimit(limit, MOST_LISTED);
    const records = await this.#schedules.list({ limit: most + 1, after });
    const page = records.slice(0, most);
    return {
      schedules: await this.#all(page.filter(isReadable)),
      next: records.length > most ? (page.at(-1)?.name ?? null) : null,
    };
  }

  /** Removes a schedule; its jobs stay. One that a handler declares comes back when a worker starts. False when there is none. */
  async remove(name: string): Promise<boolean> {
    const [isRemoved] = await this.#schedules.remove([name]);
    return isRemoved === true;
  }

  /**
   * Submits a job of the schedule now. Its next instant does not change, and an unfinished job does not matter.
   *
   * @throws AsyncEndpointsError `SCHEDULE_NOT_FOUND`, `QUEUE_FULL`, `STORE_UNAVAILABLE`, `STORE_FULL`
   */
  async trigger(name: string): Promise<Job> {
    const [record] = await this.#schedules.find([name]);
    if (!record) throw new AsyncEndpointsError('SCHEDULE_NOT_FOUND');
    return decodeJob(await triggerSchedule(this.store, record, this.policies.queueLimits));
  }

  /**
   * Pauses a schedule until it is resumed, also across deploys.
   *
   * @param options.by who pauses it, at most 1000 characters
   * @throws AsyncEndpointsError `SCHEDULE_NOT_FOUND`, `INVALID_OPTION`, `STORE_UNAVAILABLE`
   */
  async pause(name: string, { by = null }: { by?: string | null } = {}): Promise<Schedule> {
    checkLength('by', by, LONGEST_BY);
    return this.#found(await this.#schedules.pause([name], by));
  }

  /**
   * Ends the pause of a schedule. Instants that passed meanwhile are not made up for.
   *
   * @throws AsyncEndpointsError `SCHEDULE_NOT_FOUND`, `STORE_UNAVAILABLE`
   */
  async resume(name: string): Promise<Schedule> {
    return this.#found(await this.#schedules.resume([name]));
  }

  get #schedules(): ScheduleStore {
    return schedulesOf(this.store);
  }

  async #newSchedule(
    name: string,
    job: JobDefinition | string,
    options: ScheduleInput,
    isDeclared: boolean,
  ): Promise<NewSchedule> {
    const where = `Schedule ${JSON.stringify(checkScheduleName(name))}`;
    if ('cron' in options) await loadCroner();
    const timing = encodeTiming(options, where);
    const policy = this.policies.of(job);
    const { owner, priority, payload } = options;
    const template = newJob(policy, payload, { owner, priority }, undefined);
    const definition = encodeDefinition(options, isDeclared, template, where);
    return { name, job: policy.name, timing, definition, nextAt: null };
  }

  /** The instants count from the store's time, which the store says. */
  async #declare(given: readonly NewSchedule[]): Promise<ScheduleRecord[]> {
    if (given.length === 0) return [];
    const { now } = await this.#schedules.next([], 1);
    return this.#schedules.declare(
      given.map((schedule) => ({ ...schedule, nextAt: nextInstant(decodeTiming(schedule.timing), now) })),
    );
  }

  async #found([record]: (ScheduleRecord | null)[]): Promise<Schedule> {
    if (!record) throw new AsyncEndpointsError('SCHEDULE_NOT_FOUND');
    return this.#one(record);
  }

  async #one(record: ScheduleRecord): Promise<Schedule> {
    const [schedule] = await this.#all([record]);
    return schedule as Schedule;
  }

  async #all(records: readonly ScheduleRecord[]): Promise<Schedule[]> {
    const ids = records.flatMap(({ lastJobId }) => lastJobId ?? []);
    const jobs = new Map((await this.store.find(ids)).map((job) => [job?.id, job?.status]));
    return records.map((record) => scheduleOf(record, jobs.get(record.lastJobId ?? '') ?? null));
  }
}

/** @throws AsyncEndpointsError `INVALID_OPTION` where the store keeps none */
function schedulesOf(store: JobStore): ScheduleStore {
  if (store.schedules) return store.schedules;
  throw invalidOption('The job store keeps no schedules: recurring jobs need one that does.');
}
