import type { Channel } from 'node:diagnostics_channel';
import {
  JOB_CHANNELS,
  type JobEvent,
  type JobEventName,
  JOBS_PURGED,
  type JobsPurged,
  OPERATOR_ACTION,
  type OperatorActionTaken,
  SCHEDULE_INSTANTS,
  type ScheduleInstants,
} from '../events/channels.js';
import {
  type JobRun,
  type JobSubmission,
  type Middleware,
  RUN_MIDDLEWARE,
  type RunEnd,
  SUBMIT_MIDDLEWARE,
} from '../events/middleware.js';
import type { JobStore } from '../store/job-store.js';

export interface Subscribers {
  readonly events?: Partial<Record<JobEventName, (event: JobEvent) => void>>;
  /** Around each submission. */
  readonly submit?: Middleware<JobSubmission, { readonly id: string }>;
  /** Around each run. */
  readonly run?: Middleware<JobRun, RunEnd>;
  readonly purged?: (purged: JobsPurged) => void;
  readonly action?: (taken: OperatorActionTaken) => void;
  readonly instants?: (instants: ScheduleInstants) => void;
}

/** Subscribes to the events of one store, and runs around its work: applications may share a process. */
export class EventSubscriptions {
  readonly #begin: (() => () => void)[];
  #ends: (() => void)[] = [];

  constructor(
    private readonly store: JobStore,
    { events = {}, submit, run, purged, action, instants }: Subscribers,
  ) {
    this.#begin = Object.entries(events).map(
      ([name, on]) =>
        () =>
          this.#on(JOB_CHANNELS[name as JobEventName], on),
    );
    if (submit) this.#begin.push(() => SUBMIT_MIDDLEWARE.add(this.#ofStore(submit)));
    if (run) this.#begin.push(() => RUN_MIDDLEWARE.add(this.#ofStore(run)));
    if (purged) this.#begin.push(() => this.#on(JOBS_PURGED, purged));
    if (action) this.#begin.push(() => this.#on(OPERATOR_ACTION, action));
    if (instants) this.#begin.push(() => this.#on(SCHEDULE_INSTANTS, instants));
  }

  open(): void {
    this.#ends = this.#begin.map((begin) => begin());
  }

  close(): void {
    for (const end of this.#ends.splice(0)) end();
  }

  #on<T extends { store: object }>(channel: Channel, subscriber: (message: T) => void): () => void {
    const listener = (message: unknown) => {
      if ((message as T).store === this.store) subscriber(message as T);
    };
    channel.subscribe(listener);
    return () => channel.unsubscribe(listener);
  }

  #ofStore<TWork extends { store: object }, TResult>(middleware: Middleware<TWork, TResult>): typeof middleware {
    return (work, next) => (work.store === this.store ? middleware(work, next) : next());
  }
}
