import { channel } from 'node:diagnostics_channel';
import type { JobRecord } from '../job/job.js';

/** Whose lease ran out. Times are in ms since the epoch. */
export interface VanishedWorker {
  readonly worker: string;
  /** When it claimed the job or last renewed its lease, if its leases are as long as those here. */
  readonly heartbeatAt: number;
  readonly leaseUntil: number;
}

/** What happened to a job. Messages carry its record, never its request or result to be logged by accident. */
export interface JobEvent {
  readonly job: JobRecord;
  /** Tells apart applications that share a process. */
  readonly store: object;
  /** What a handler threw, or what revoked its claim. */
  readonly cause?: unknown;
  /** Of a recovered job: who held it. */
  readonly vanished?: VanishedWorker;
}

/**
 * The catalogue of facts that the core publishes, named by the lifecycle's verbs: `asyncendpoints.job.<verb>`. `lose` is
 * a claim found to be another's. Logging subscribes; so can anybody, through `node:diagnostics_channel`. Unheard, an
 * event costs one comparison.
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

/** What an operator should know about a store: its settings, or that its server went away or came back. */
export interface StoreNotice {
  readonly store: object;
  readonly message: string;
}

export const STORE_NOTICE = channel('asyncendpoints.store.notice');

/** Finished jobs were removed after their retention. */
export interface JobsPurged {
  readonly store: object;
  readonly ids: readonly string[];
}

export const JOBS_PURGED = channel('asyncendpoints.jobs.purged');

/** Job names were paused, or resumed: from this process. */
export interface QueuesPaused {
  readonly store: object;
  readonly verb: 'pause' | 'resume';
  readonly names: readonly string[];
  /** Who did it, as they gave it. */
  readonly by: string | null;
}

export const QUEUES_PAUSED = channel('asyncendpoints.queues.paused');

/** What a tool in another process did to jobs, such as the command-line tool. */
export interface OperatorAction {
  readonly verb: 'cancel' | 'rerun' | 'recover' | 'purge' | 'pause' | 'resume';
  /** Who: user and host. */
  readonly by: string;
  /** How many jobs of each name, and what they then were; null where that is not known. Of `pause` and `resume`: the names. */
  readonly jobs: readonly { readonly name: string | null; readonly status: string | null; readonly count: number }[];
}

/** A tool in another process, such as the command-line tool, did something to jobs. One worker hears of each action. */
export interface OperatorActionTaken {
  readonly store: object;
  readonly action: OperatorAction;
}

export const OPERATOR_ACTION = channel('asyncendpoints.operator.action');

/** The store heard a message that it did not understand, or that this deployment did not write, and ignored it: `{ store }`. */
export const STORE_MESSAGE_IGNORED = channel('asyncendpoints.store.message.ignored');

/** The store met a record that it cannot read, and set it aside: `{ store }`. Told once for each record by each process. */
export const STORE_RECORD_UNREADABLE = channel('asyncendpoints.store.record.unreadable');

export type JobEventName = keyof typeof JOB_CHANNELS;

export function publish(name: JobEventName, event: JobEvent): void {
  const target = JOB_CHANNELS[name];
  if (target.hasSubscribers) target.publish(event);
}
