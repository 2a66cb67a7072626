import {
  JOB_CHANNELS,
  type JobEvent,
  type JobEventName,
  type JobRun,
  JOBS_PURGED,
  type JobsPurged,
  type JobSubmission,
  OPERATOR_ACTION,
  type OperatorActionTaken,
  WORK_CHANNELS,
} from '../events/channels.js';
import type { JobStore } from '../store/job-store.js';

export interface Subscribers {
  readonly events?: Partial<Record<JobEventName, (event: JobEvent) => void>>;
  readonly submit?: (submission: JobSubmission) => void;
  readonly run?: (run: JobRun) => void;
  readonly purged?: (purged: JobsPurged) => void;
  readonly action?: (taken: OperatorActionTaken) => void;
}

/** Listens to what is published of one store: applications may share a process. */
export class EventSubscriptions {
  readonly #all: [channel: { subscribe(on: Listener): void; unsubscribe(on: Listener): void }, listener: Listener][];

  constructor(store: JobStore, { events = {}, submit, run, purged, action }: Subscribers) {
    const ofStore =
      <T extends { store: object }>(subscriber: (message: T) => void): Listener =>
      (message) => {
        if ((message as T).store === store) subscriber(message as T);
      };
    this.#all = Object.entries(events).map(([name, on]) => [JOB_CHANNELS[name as JobEventName], ofStore(on)]);
    if (submit) this.#all.push([WORK_CHANNELS.submit, ofStore(submit)]);
    if (run) this.#all.push([WORK_CHANNELS.run, ofStore(run)]);
    if (purged) this.#all.push([JOBS_PURGED, ofStore(purged)]);
    if (action) this.#all.push([OPERATOR_ACTION, ofStore(action)]);
  }

  open(): void {
    for (const [channel, listener] of this.#all) channel.subscribe(listener);
  }

  close(): void {
    for (const [channel, listener] of this.#all) channel.unsubscribe(listener);
  }
}

type Listener = (message: unknown) => void;
