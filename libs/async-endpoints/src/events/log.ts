import { Logger } from '@nestjs/common';
import { logError, onOneLine, printable, reasonOf, textOf } from './error-text.js';
import { withinJob } from './job-scope.js';
import {
  type JobEvent,
  type Listeners,
  type OperatorAction,
  type QueuesPaused,
  type ScheduleInstants,
  subscribe,
} from './channels.js';

const logs = new WeakMap<object, JobLog>();

/** Writes what an operator must know to the log; jobs that go well are silent. Stack traces appear here and only here. */
export class JobLog {
  #holders = 0;
  #unsubscribe: () => void = () => {};
  readonly #logger = new Logger('AsyncEndpoints');
  readonly #listeners: Listeners = {
    retry: within(({ job, cause }) => this.#logger.warn(`${of(job)} failed and will be retried: ${textOf(cause)}`)),
    fail: within(({ job, cause }) => logError(this.#logger, `${of(job)} failed for good`, cause)),
    recover: within((event) => this.#logger.warn(recovered(event))),
    rerun: within(({ job }) => this.#logger.log(`${of(job)} was queued again`)),
    lose: within(({ job, cause }) => this.#logger.warn(`${of(job)} was lost to another worker: ${reasonOf(cause)}`)),
    release: within(({ job }) => this.#logger.log(`${of(job)} was given back, its attempt not counted`)),
    notice: ({ message }) => this.#logger.warn(printable(message)),
    action: ({ action }) => this.#logger.log(textOfAction(action)),
    paused: (change) => this.#logger.log(textOfPause(change)),
    unhandled: ({ names }) => this.#logger.warn(`Jobs wait that no live worker handles: ${listed(names)}`),
    instants: (one) => one.outcome !== 'fired' && this.#logger.warn(textOfInstants(one)),
  };

  /** The same for all applications of this process that share the store, so that each event is logged once. */
  static of(store: object): JobLog {
    const log = logs.get(store) ?? new JobLog(store);
    logs.set(store, log);
    return log;
  }

  private constructor(private readonly store: object) {}

  /** Each call is ended by one of {@link close}. */
  open(): void {
    if (this.#holders++ === 0) this.#unsubscribe = subscribe(this.store, this.#listeners);
  }

  close(): void {
    if (--this.#holders === 0) this.#unsubscribe();
  }
}

function within(listener: (event: JobEvent) => void): (event: JobEvent) => void {
  return (event) => withinJob(event.job, () => listener(event));
}

/** The most job names in a line of the log; an ellipsis replaces the others. */
const MOST_NAMES = 10;

function listed(names: readonly string[]): string {
  return names.slice(0, MOST_NAMES).map(onOneLine).join(', ') + (names.length > MOST_NAMES ? ', …' : '');
}

function textOfPause({ verb, names, by }: QueuesPaused): string {
  const done = `${verb}d${by === null ? '' : ` by ${onOneLine(by)}`}`;
  return `${listed(names)} ${names.length === 1 ? 'was' : 'were'} ${done}`;
}

function textOfInstants({ schedule, outcome, count }: ScheduleInstants): string {
  const name = `Schedule ${onOneLine(schedule)}`;
  if (outcome === 'skipped') return `${name} submitted no job: its last one is not finished`;
  return `${name} missed ${count} ${count === 1 ? 'instant' : 'instants'}, for which it submits no job`;
}

/** The actions on job names or schedules instead of jobs. */
const BY_NAME: ReadonlySet<OperatorAction['verb']> = new Set(['pause', 'resume', 'trigger', 'remove']);

function textOfAction({ verb, by, jobs }: OperatorAction): string {
  const command = `${onOneLine(by)} ran "async-endpoints ${verb}"`;
  if (BY_NAME.has(verb)) return `${command}: ${listed(jobs.flatMap(({ name }) => name ?? []))}`;
  const total = jobs.reduce((sum, { count }) => sum + count, 0);
  const named = jobs.flatMap(({ name, status, count }) =>
    name === null ? [] : [`${count} ${onOneLine(name)}${status === null ? '' : `, now ${status}`}`],
  );
  const shown = named.slice(0, MOST_NAMES).join('; ') + (named.length > MOST_NAMES ? '; …' : '');
  return `${command}: ${total} ${total === 1 ? 'job' : 'jobs'}${shown && ` (${shown})`}`;
}

function recovered({ job, vanished }: JobEvent): string {
  const now = `now ${job.status}`;
  if (!vanished) return `${of(job)} was recovered from a dead worker; ${now}`;
  const { worker, heartbeatAt } = vanished;
  const seconds = Math.round((job.lastUpdatedAt - heartbeatAt) / 1_000);
  const heard = `last heartbeat at ${new Date(heartbeatAt).toISOString()}, ${seconds} s ago`;
  return `${of(job)} was recovered from worker ${onOneLine(worker)}, which died (${heard}); ${now}`;
}

function of({ name, id }: JobEvent['job']): string {
  return `Job ${onOneLine(name)} ${id}`;
}
