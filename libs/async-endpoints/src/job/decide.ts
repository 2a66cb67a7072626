import type { JobProgress, JobRecord, NewJob } from './job.js';
import * as lifecycle from './lifecycle.js';

/*
 * What a verb does with one job: functions of the job, the command and the time. A store that decides in TypeScript reads the job,
 * asks one of these, and writes the job of the answer, all in one atomic step.
 */

/** The reply to one element of a batch, and the job to write; without a job nothing changes. */
export interface Decision<TReply> {
  readonly reply: TReply;
  readonly job?: JobRecord;
}

/** The text under which the idempotency key of a job is stored: it counts within the owner and the job name. Null without a key. */
export function scopeOfKey({ owner, name, idempotency }: NewJob): string | null {
  return idempotency && JSON.stringify([owner, name, idempotency.key]);
}

/** Whether a submission repeats the one that made the job. */
export function isSameRequest(known: JobRecord, job: NewJob): boolean {
  const { name, owner, fingerprint } = known;
  return fingerprint !== null && fingerprint === job.fingerprint && name === job.name && owner === job.owner;
}

/** The reply to a submission whose idempotency key or id is that of a known job. */
export function submitAgain(known: JobRecord, job: NewJob, on: 'id' | 'key') {
  return isSameRequest(known, job)
    ? { outcome: 'existing' as const, job: known }
    : { outcome: 'conflict' as const, on };
}

/** @param job undefined when there is none with this id */
export function renew(
  job: JobRecord | undefined,
  by: { readonly fence: number; readonly leaseMs: number; readonly progress?: JobProgress },
  now: number,
): Decision<'held' | 'canceled' | 'lost'> {
  if (job?.status === 'Canceled') return { reply: 'canceled' };
  if (job?.status !== 'InProgress' || job.fence !== by.fence) return { reply: 'lost' };
  return { reply: 'held', job: lifecycle.renew(job, by, now) };
}

/** The fence decides. A repeated settlement gets the same reply, and changes nothing. */
export function settle(job: JobRecord | undefined, settlement: lifecycle.Settlement, now: number): Decision<boolean> {
  if (job?.fence !== settlement.fence || job.name !== settlement.name) return { reply: false };
  if (job.status !== 'InProgress') return { reply: true };
  return { reply: true, job: lifecycle.settle(job, settlement, now) };
}

/** The canceled job; null for a job that is terminal. */
export function cancel(job: JobRecord, now: number): JobRecord | null {
  return lifecycle.allows('cancel', job.status) ? lifecycle.cancel(job, now) : null;
}

/**
 * The queued job; null for a job that stays as it is. A failed or canceled job is queued, or with `runningForMs` a job that has been
 * in progress for at least that long.
 */
export function rerun(
  job: JobRecord,
  { runningForMs }: { readonly runningForMs?: number | undefined },
  now: number,
): JobRecord | null {
  const isChosen =
    runningForMs === undefined
      ? job.status === 'Failed' || job.status === 'Canceled'
      : job.status === 'InProgress' && now - (job.startedAt as number) >= runningForMs;
  return isChosen ? lifecycle.rerun(job, now) : null;
}
