import { channel } from 'node:diagnostics_channel';
import type { JobRecord } from '../job/job.js';
import type { JobStore } from '../store/job-store.js';

/** What happened to a job. Messages carry its record, never its request or result to be logged by accident. */
export interface JobEvent {
  readonly job: JobRecord;
  /** Tells apart applications that share a process. */
  readonly store: JobStore;
  /** What a handler threw, or what revoked its claim. */
  readonly cause?: unknown;
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
  readonly store: JobStore;
  readonly message: string;
}

export const STORE_NOTICE = channel('asyncendpoints.store.notice');

export type JobEventName = keyof typeof JOB_CHANNELS;

export function publish(name: JobEventName, event: JobEvent): void {
  const target = JOB_CHANNELS[name];
  if (target.hasSubscribers) target.publish(event);
}
