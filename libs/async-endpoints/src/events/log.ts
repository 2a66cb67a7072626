import { Logger } from '@nestjs/common';
import {
  JOB_CHANNELS,
  type JobEvent,
  type JobEventName,
  OPERATOR_ACTION,
  type OperatorAction,
  type OperatorActionTaken,
  QUEUES_PAUSED,
  type QueuesPaused,
  SCHEDULE_INSTANTS,
  type ScheduleInstants,
  STORE_NOTICE,
  type StoreNotice,
} from './channels.js';
import { logError, printable, reasonOf, textOf } from './error-text.js';
import { withinJob } from './job-scope.js';

type Subscriber = (event: JobEvent) => void;

const logs = new WeakMap<object, JobLog>();

/** Writes what an operator must know to the log; jobs that go well are silent. Stack traces appear here and only here. */
export class JobLog {
  #holders = 0;
  readonly #logger = new Logger('AsyncEndpoints');
  readonly #subscribers: Partial<Record<JobEventName, Subscriber>> = {
    retry: ({ job, cause }) => this.#logger.warn(`${of(job)} failed and will be retried: ${textOf(cause)}`),
    fail: ({ job, cause }) => logError(this.#logger, `${of(job)} failed for good`, cause),
    recover: (event) => this.#logger.warn(recovered(event)),
    rerun: ({ job }) => this.#logger.log(`${of(job)} was queued anew`),
    lose: ({ job, cause }) => this.#logger.warn(`${of(job)} was lost to another worker: ${reasonOf(cause)}`),
    release: ({ job }) => this.#logger.log(`${of(job)} was given back, its attempt not counted`),
  };
  readonly #listeners: [JobEventName, (message: unknown) => void][];

  readonly #notice: (notice: unknown) => void;
  readonly #action: (taken: unknown) => void;
  readonly #paused: (change: unknown) => void;
  readonly #instants: (instants: unknown) => void;

  /** The same for all applications of this process that share the store, so that each event is logged once. */
  static of(store: object): JobLog {
    const log = logs.get(store) ?? new JobLog(store);
    logs.set(store, log);
    return log;
  }

  private constructor(store: object) {
    this.#notice = (notice) => {
      const { store: from, message } = notice as StoreNotice;
      if (from === store) this.#logger.warn(printable(message));
    };
    this.#action = (taken) => {
      const { store: from, action } = taken as OperatorActionTaken;
      if (from === store) this.#logger.log(textOfAction(action));
    };
    this.#paused = (change) => {
      const { store: from, verb, names, by } = change as QueuesPaused;
      const done = `${verb}d${by === null ? '' : ` by ${printable(by)}`}`;
      if (from === store) this.#logger.log(`${listed(names)} ${names.length === 1 ? 'was' : 'were'} ${done}`);
    };
    this.#instants = (message) => {
      const { store: from, ...instants } = message as ScheduleInstants;
      if (from === store && instants.outcome !== 'fired') this.#logger.warn(textOfInstants(instants));
    };
    this.#listeners = Object.entries(this.#subscribers).map(([name, subscriber]) => [
      name as JobEventName,
      (message) => {
        const event = message as JobEvent;
        if (event.store === store) withinJob(event.job, () => subscriber(event));
      },
    ]);
  }

  /** Each call is ended by one of {@link close}. */
  open(): void {
    if (this.#holders++ > 0) return;
    STORE_NOTICE.subscribe(this.#notice);
    OPERATOR_ACTION.subscribe(this.#action);
    QUEUES_PAUSED.subscribe(this.#paused);
    SCHEDULE_INSTANTS.subscribe(this.#instants);
    for (const [name, listener] of this.#listeners) JOB_CHANNELS[name].subscribe(listener);
  }

  close(): void {
    if (--this.#holders > 0) return;
    STORE_NOTICE.unsubscribe(this.#notice);
    OPERATOR_ACTION.unsubscribe(this.#action);
    QUEUES_PAUSED.unsubscribe(this.#paused);
    SCHEDULE_INSTANTS.unsubscribe(this.#instants);
    for (const [name, listener] of this.#listeners) JOB_CHANNELS[name].unsubscribe(listener);
  }
}

/** A line of the log names at most so many job names; an ellipsis stands for the others. */
const MOST_NAMES = 10;

function listed(names: readonly string[]): string {
  return names.slice(0, MOST_NAMES).map(printable).join(', ') + (names.length > MOST_NAMES ? ', …' : '');
}

function textOfInstants({ schedule, outcome, count }: Omit<ScheduleInstants, 'store'>): string {
  const name = `Schedule ${printable(schedule)}`;
  if (outcome === 'skipped') return `${name} made no job: its last one is not finished`;
  return `${name} missed ${count} ${count === 1 ? 'instant' : 'instants'}, for which no job is made`;
}

/** What is done to names, or schedules, and not to jobs. */
const BY_NAME: ReadonlySet<OperatorAction['verb']> = new Set(['pause', 'resume', 'trigger', 'remove']);

function textOfAction({ verb, by, jobs }: OperatorAction): string {
  const command = `${printable(by)} ran "async-endpoints ${verb}"`;
  if (BY_NAME.has(verb)) return `${command}: ${listed(jobs.flatMap(({ name }) => name ?? []))}`;
  const total = jobs.reduce((sum, { count }) => sum + count, 0);
  const named = jobs.flatMap(({ name, status, count }) =>
    name === null ? [] : [`${count} ${printable(name)}${status === null ? '' : `, now ${status}`}`],
  );
  const shown = named.slice(0, MOST_NAMES).join('; ') + (named.length > MOST_NAMES ? '; …' : '');
  return `${command}: ${total} ${total === 1 ? 'job' : 'jobs'}${shown && ` (${shown})`}`;
}

function recovered({ job, vanished }: JobEvent): string {
  const now = `now ${job.status}`;
  if (!vanished) return `${of(job)} was taken back from a worker that vanished; ${now}`;
  const { worker, heartbeatAt } = vanished;
  const seconds = Math.round((job.lastUpdatedAt - heartbeatAt) / 1_000);
  const heard = `last heartbeat at ${new Date(heartbeatAt).toISOString()}, ${seconds} s ago`;
  return `${of(job)} was taken back from worker ${printable(worker)}, which vanished (${heard}); ${now}`;
}

function of({ name, id }: JobEvent['job']): string {
  return `Job ${printable(name)} ${id}`;
}
