import type { Channel } from 'node:diagnostics_channel';
import {
  JOB_CHANNELS,
  type JobEvent,
  type JobEventName,
  JOBS_PURGED,
  type JobsPurged,
  OPERATOR_ACTION,
  type OperatorActionTaken,
  QUEUES_PAUSED,
  type QueuesPaused,
  SCHEDULE_INSTANTS,
  type ScheduleInstants,
  STORE_MESSAGE_IGNORED,
  STORE_NOTICE,
  STORE_RECORD_UNREADABLE,
  type StoreNotice,
} from './channels.js';

/** The messages of every channel, by the name of the event. Each names its store. */
interface Events extends Record<JobEventName, JobEvent> {
  purged: JobsPurged;
  paused: QueuesPaused;
  action: OperatorActionTaken;
  instants: ScheduleInstants;
  notice: StoreNotice;
  ignored: { readonly store: object };
  unreadable: { readonly store: object };
}

const CHANNELS: Readonly<Record<keyof Events, Channel>> = {
  ...JOB_CHANNELS,
  purged: JOBS_PURGED,
  paused: QUEUES_PAUSED,
  action: OPERATOR_ACTION,
  instants: SCHEDULE_INSTANTS,
  notice: STORE_NOTICE,
  ignored: STORE_MESSAGE_IGNORED,
  unreadable: STORE_RECORD_UNREADABLE,
};

export type Listeners = { readonly [Name in keyof Events]?: (event: Events[Name]) => void };

/** Listens to events of one store: applications may share a process. @returns a function that ends it */
export function subscribe(store: object, listeners: Listeners): () => void {
  const ends = Object.entries(listeners).map(([name, listener]) => {
    const hear = (message: unknown) => {
      if ((message as { store: object }).store === store) (listener as (event: unknown) => void)(message);
    };
    CHANNELS[name as keyof Events].subscribe(hear);
    return () => CHANNELS[name as keyof Events].unsubscribe(hear);
  });
  return () => {
    for (const end of ends) end();
  };
}
