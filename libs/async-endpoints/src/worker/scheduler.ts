import { Inject, Injectable, Logger } from '@nestjs/common';
import { publish } from '../events/channels.js';
import { HandlerRegistry } from '../handlers/handler-registry.js';
import { printable } from '../events/error-text.js';
import { AsyncEndpointsError } from '../job/errors.js';
import { isTerminal } from '../job/job.js';
import { JobSchedules } from '../jobs/job-schedules.js';
import { JobPolicies } from '../options/policies.js';
import { decodeDefinition, isReadable } from '../schedules/definition.js';
import { type Due, dueOf } from '../schedules/due.js';
import { decodeTiming, loadCroner } from '../schedules/timing.js';
import { JobStore } from '../store/job-store.js';
import { type Fired, type ScheduleRecord, SCHEDULE_CHANGES, type ScheduleStore } from '../store/schedules.js';
import { Loop } from './loop.js';
import { StoreLog } from './worker-log.js';

const AT_ONCE = 100;
/** The pause after a queue limit left no room for a job. */
const AGAIN_MS = 1_000;
/** Clocks drift, so the store is asked for the next instants at least this often. */
const LOOK_AGAIN_MS = 3_600_000;
/**
 * A declared schedule is removed when no worker has fired it for this long after its instant: no worker has its handler any more.
 */
const ABANDONED_MS = 86_400_000;

/**
 * Fires the schedules of the jobs that this worker handles. There is no leader: every worker tries at each instant, and the store
 * lets one of them advance the schedule. One timer serves all schedules. Without schedules there is none.
 */
@Injectable()
export class Scheduler {
  readonly #log = new StoreLog();
  readonly #logger = new Logger('AsyncEndpoints');
  readonly #loop = new Loop(() => this.#turn(), {
    intervalMs: LOOK_AGAIN_MS,
    onError: (error) => this.#log.failed(error),
  });
  #hasBegun = false;
  #stopHearing: () => void = () => {};
  /** The jobs that schedules wait for, by id. */
  readonly #awaited = new Map<string, () => void>();
  /** Schedules whose job was refused because of a queue limit. */
  readonly #refused = new Set<string>();
  /** Schedules that this release cannot read, with their version. */
  readonly #unreadable = new Set<string>();

  constructor(
    @Inject(JobStore) private readonly store: JobStore,
    @Inject(HandlerRegistry) private readonly handlers: HandlerRegistry,
    @Inject(JobSchedules) private readonly jobSchedules: JobSchedules,
    @Inject(JobPolicies) private readonly policies: JobPolicies,
  ) {}

  /** Declares the schedules of the handlers and begins to fire. Does nothing when the store has no schedules. */
  start(): void {
    if (this.store.schedules) this.#loop.start();
  }

  /** Resolves when the current turn has ended. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    this.#stopHearing();
    for (const stop of this.#awaited.values()) stop();
    this.#awaited.clear();
  }

  async #begin(): Promise<void> {
    this.#stopHearing();
    this.#stopHearing = await this.store.subscribe({ worker: SCHEDULE_CHANGES }, () => this.#loop.wake());
    const declared = this.handlers.declarations;
    const schedules = await this.jobSchedules.declare(declared);
    for (const { name } of schedules.filter(({ nextAt }) => nextAt === null)) {
      this.#logger.warn(`Schedule ${printable(name)} never runs: its cron expression matches no future time`);
    }
    await this.#removeUndeclared(new Set(declared.map(({ name }) => name)));
    this.#hasBegun = true;
  }

  /**
   * Removes schedules that the handlers of this worker no longer declare (other workers may have other handlers), and schedules
   * that no worker has fired for a day.
   */
  async #removeUndeclared(declared: ReadonlySet<string>): Promise<void> {
    const own = new Set(this.handlers.names);
    const handled = new Set((await this.store.workers()).flatMap(({ names }) => names));
    const { now } = await this.#schedules.next([], 1);
    const isGone = (schedule: ScheduleRecord) => {
      const { name, job, nextAt } = schedule;
      if (declared.has(name) || !isReadable(schedule) || !decodeDefinition(schedule).isDeclared) return false;
      return own.has(job) || (!handled.has(job) && nextAt !== null && nextAt < now - ABANDONED_MS);
    };
    for (let after: string | undefined, isLast = false; !isLast;) {
      const page = await this.#schedules.list({ limit: AT_ONCE, after });
      const gone = page.filter(isGone);
      if (gone.length > 0) await this.#schedules.remove(gone.map(({ name }) => name));
      isLast = page.length < AT_ONCE;
      after = page.at(-1)?.name;
    }
  }

  /** Returns when to look again, in ms. */
  async #turn(): Promise<number> {
    if (!this.#hasBegun) await this.#begin();
    const againMs = await this.#fireDue();
    this.#log.succeeded();
    return againMs;
  }

  async #fireDue(): Promise<number> {
    // Schedules that cannot advance stay the earliest ones. Ask for more, so that they do not hide the others.
    const stuck = this.#awaited.size + this.#refused.size + this.#unreadable.size;
    const { now, schedules } = await this.#schedules.next(this.handlers.names, AT_ONCE + stuck);
    const isDue = (one: ScheduleRecord) => (one.nextAt as number) <= now;
    const canMove = (one: ScheduleRecord) =>
      !this.#awaited.has(one.lastJobId ?? '') && !this.#unreadable.has(versionOf(one));
    const due = schedules.filter((one) => isDue(one) && canMove(one));
    const next = schedules.find((one) => !isDue(one));
    if (due.length === 0) return next ? Math.min((next.nextAt as number) - now, LOOK_AGAIN_MS) : Infinity;
    let areMoved = true;
    for (let from = 0; from < due.length; from += AT_ONCE) {
      areMoved = (await this.#fire(due.slice(from, from + AT_ONCE), now)) && areMoved;
    }
    return areMoved ? 0 : AGAIN_MS;
  }

  /** True when each schedule advanced or waits for a job. */
  async #fire(due: readonly ScheduleRecord[], now: number): Promise<boolean> {
    const all = (await Promise.all(due.map((schedule) => this.#read(schedule, now)))).filter((one) => one !== null);
    if (all.length === 0) return true;
    const firings = all.map(({ firing }) => firing);
    const outcomes = await this.#schedules.fire(firings, this.policies.queueLimits);
    for (const [at, one] of all.entries()) await this.#fired(one.schedule, one, outcomes[at] as Fired);
    return outcomes.every(({ outcome }) => outcome !== 'refused');
  }

  /** Null for a schedule that this release cannot read. Another release may have written it. It does not delay the others. */
  async #read(schedule: ScheduleRecord, now: number): Promise<(Due & { schedule: ScheduleRecord }) | null> {
    try {
      if ('cron' in decodeTiming(schedule.timing)) await loadCroner();
      return { schedule, ...dueOf(schedule, now) };
    } catch (error) {
      this.#unreadable.add(versionOf(schedule));
      // Errors of JSON.parse quote the text, and a payload must not be in the log.
      const reason = error instanceof AsyncEndpointsError ? error.message : 'this worker cannot read it';
      this.#logger.warn(`Schedule ${printable(schedule.name)} is skipped: ${reason}`);
      return null;
    }
  }

  async #fired({ name, job, lastJobId }: ScheduleRecord, { firing, missed }: Due, fired: Fired): Promise<void> {
    const { outcome } = fired;
    if (outcome === 'unfinished' && lastJobId !== null) return this.#await(lastJobId);
    if (outcome === 'refused') return this.#warnOfRefusal(name);
    if (outcome === 'lost' || outcome === 'unfinished') return;
    this.#refused.delete(name);
    const of = { store: this.store, schedule: name, job };
    if (outcome === 'fired') publish('submit', { job: fired.job, store: this.store });
    if (outcome !== 'moved') publish('instants', { ...of, outcome, count: 1, at: firing.run?.at ?? null });
    if (missed > 0) publish('instants', { ...of, outcome: 'missed', count: missed, at: null });
  }

  #warnOfRefusal(name: string): void {
    if (!this.#refused.has(name))
      this.#logger.warn(`Schedule ${printable(name)} waits: the queue limit leaves no room for its job`);
    this.#refused.add(name);
  }

  /** Makes another turn when the job is terminal. */
  async #await(id: string): Promise<void> {
    if (this.#awaited.has(id)) return;
    const end = () => {
      this.#awaited.get(id)?.();
      if (this.#awaited.delete(id)) this.#loop.wake();
    };
    const stop = await this.store.subscribe({ job: id }, ({ status }) => {
      if (status === null || isTerminal(status)) end();
    });
    this.#awaited.set(id, stop);
    const [job] = await this.store.find([id]);
    if (!job || isTerminal(job.status)) end();
  }

  get #schedules(): ScheduleStore {
    return this.store.schedules as ScheduleStore;
  }
}

function versionOf({ name, version }: ScheduleRecord): string {
  return `${version} ${name}`;
}
