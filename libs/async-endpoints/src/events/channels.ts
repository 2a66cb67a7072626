import { type Channel, channel } from 'node:diagnostics_channel';
import type { JobRecord } from '../job/job.js';

/** A worker whose lease expired. Times are in ms since the epoch. */
export interface VanishedWorker {
  readonly worker: string;
  /** When it claimed the job or last renewed its lease, assuming that its leases are as long as those of this process. */
  readonly heartbeatAt: number;
  readonly leaseUntil: number;
}

/** A change of a job. Messages carry its record and not its payload. */
export interface JobEvent {
  readonly job: JobRecord;
  /** The store of the job: several applications can share a process. */
  readonly store: object;
  /** The error of the handler, or the reason of the revocation of its claim. */
  readonly cause?: unknown;
  /** For a recovered job: the worker that held it. */
  readonly vanished?: VanishedWorker;
}

/**
 * The events that the core publishes, named by the verbs of the lifecycle: `asyncendpoints.job.<verb>`. `lose` means that a claim
 * belongs to another worker. The log subscribes; any code can, through `node:diagnostics_channel`. Without a subscriber, an event
 * costs one comparison.
 */
export const JOB_CHANNELS = {
  submit: channel('asyncendpoints.job.submit'),
  claim: channel('asyncendpoints.job.claim'),
  complete: channel('asyncendpoints.job.complete'),
  retry: channel('asyncendpoints.job.retry'),
  fail: channel('asyncendpoints.job.fail'),
  release: channel('asyncendpoints.job.release'),
  cancel: channel('asyncendpoints.job.cancel'),
  recover: channel('asyncendpoints.job.recover'),
  rerun: channel('asyncendpoints.job.rerun'),
  lose: channel('asyncendpoints.job.lose'),
} as const;

/** A message for operators about a store: about its settings, or that its server is unavailable or available again. */
export interface StoreNotice {
  readonly store: object;
  readonly message: string;
}

export const STORE_NOTICE = channel('asyncendpoints.store.notice');

/** This process paused or resumed job names. */
export interface QueuesPaused {
  readonly store: object;
  readonly verb: 'pause' | 'resume';
  readonly names: readonly string[];
  /** The author of the pause, as given. */
  readonly by: string | null;
}

/** The outcome of instants of a schedule. */
export interface ScheduleInstants {
  readonly store: object;
  /** The name of the schedule. */
  readonly schedule: string;
  /** The name of its jobs. */
  readonly job: string;
  /** `fired`: a job was made. `skipped`: the last one was not finished. `missed`: too late. */
  readonly outcome: 'fired' | 'skipped' | 'missed';
  /** How many instants. */
  readonly count: number;
  /** The instant, in ms since the epoch; null for several. */
  readonly at: number | null;
}

export const SCHEDULE_INSTANTS = channel('asyncendpoints.schedule.instants');

/** A change of jobs by a tool in another process, such as the command-line tool. */
export interface OperatorAction {
  readonly verb: 'cancel' | 'rerun' | 'recover' | 'purge' | 'pause' | 'resume' | 'trigger' | 'remove';
  /** User and host. */
  readonly by: string;
  /** The number of jobs by name and new status; null for unknown. For `pause` and `resume`: the names. */
  readonly jobs: readonly { readonly name: string | null; readonly status: string | null; readonly count: number }[];
}

/** The messages of every channel, by the name of the event. Each names its store. */
interface Events extends Record<keyof typeof JOB_CHANNELS, JobEvent> {
  /** Terminal jobs were deleted after their retention. */
  purged: { readonly store: object; readonly ids: readonly string[] };
  paused: QueuesPaused;
  /** Jobs of these names wait, and no live worker handles them. One worker publishes it, once for a name and then every hour. */
  unhandled: { readonly store: object; readonly names: readonly string[] };
  /** A tool in another process changed jobs. One worker gets each message. */
  action: { readonly store: object; readonly action: OperatorAction };
  instants: ScheduleInstants;
  notice: StoreNotice;
  /** The store ignored a message that it does not understand or that another deployment wrote. */
  ignored: { readonly store: object };
  /** The store set aside a record that it cannot read. Each process publishes it once for each record. */
  unreadable: { readonly store: object };
}

const CHANNELS: Readonly<Record<keyof Events, Channel>> = {
  ...JOB_CHANNELS,
  purged: channel('asyncendpoints.jobs.purged'),
  paused: channel('asyncendpoints.queues.paused'),
  unhandled: channel('asyncendpoints.queues.unhandled'),
  action: channel('asyncendpoints.operator.action'),
  instants: SCHEDULE_INSTANTS,
  notice: STORE_NOTICE,
  ignored: channel('asyncendpoints.store.message.ignored'),
  unreadable: channel('asyncendpoints.store.record.unreadable'),
};

export function publish<TName extends keyof Events>(name: TName, event: Events[TName]): void {
  const target = CHANNELS[name];
  if (target.hasSubscribers) target.publish(event);
}

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
