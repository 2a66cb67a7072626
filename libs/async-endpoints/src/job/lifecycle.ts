import { attemptsOf, NO_ATTEMPTS, WORKER_CRASHED, WORKER_VANISHED } from './attempts.js';
import { boundedDelay } from './bounds.js';
import { type Changes, copyJob } from './copy-job.js';
import { isTerminal, type JobError, type JobProgress, type JobRecord, type JobStatus, type NewJob } from './job.js';

/**
 * The lifecycle as a table. A verb that `makes` a claim gets a new fence, one that `needs` it checks the fence, and one that
 * `revokes` it makes the fence stale. Every store enforces the table, and the diagram in `docs/lifecycle.md` is made from it.
 */
export const LIFECYCLE = {
  submit: { from: [], to: ['Queued', 'Scheduled'], claim: null },
  claim: { from: ['Queued', 'Scheduled'], to: ['InProgress'], claim: 'makes' },
  renew: { from: ['InProgress'], to: ['InProgress'], claim: 'needs' },
  complete: { from: ['InProgress'], to: ['Completed'], claim: 'needs' },
  retry: { from: ['InProgress'], to: ['Scheduled'], claim: 'needs' },
  fail: { from: ['InProgress'], to: ['Failed'], claim: 'needs' },
  release: { from: ['InProgress'], to: ['Queued'], claim: 'needs' },
  cancel: { from: ['Queued', 'Scheduled', 'InProgress'], to: ['Canceled'], claim: 'revokes' },
  recover: { from: ['InProgress'], to: ['Queued', 'Failed'], claim: 'revokes' },
  rerun: { from: ['InProgress', 'Failed', 'Canceled'], to: ['Queued'], claim: 'revokes' },
  purge: { from: ['Completed', 'Failed', 'Canceled'], to: [], claim: null },
} as const satisfies Record<
  string,
  { from: readonly JobStatus[]; to: readonly JobStatus[]; claim: 'makes' | 'needs' | 'revokes' | null }
>;

/** The name of a transition, the same in every table, store method, script, event and metric label. */
export type Verb = keyof typeof LIFECYCLE;

/** How a claim ends. The name is the job's: it says to which queue it may go back. */
export type Settlement = { readonly id: string; readonly name: string; readonly fence: number } & Outcome;

/** The outcome of a run. */
export type Outcome =
  | { readonly verb: 'complete'; readonly result: string | null }
  | { readonly verb: 'retry'; readonly delayMs: number; readonly error: JobError }
  | { readonly verb: 'fail'; readonly error: JobError }
  | { readonly verb: 'release' };

export function allows(verb: Verb, from: JobStatus): boolean {
  return (LIFECYCLE[verb].from as readonly JobStatus[]).includes(from);
}

export function submit(job: NewJob, now: number): JobRecord {
  return Object.freeze({
    id: job.id,
    name: job.name,
    status: job.delayMs > 0 ? 'Scheduled' : 'Queued',
    owner: job.owner,
    priority: job.priority,
    retryCount: 0,
    maxRetries: job.maxRetries,
    crashes: 0,
    createdAt: now,
    scheduledAt: now + job.delayMs,
    startedAt: null,
    completedAt: null,
    lastUpdatedAt: now,
    progress: null,
    result: null,
    error: null,
    failedAttempts: NO_ATTEMPTS,
    fence: 0,
    worker: null,
    leaseUntil: null,
    retention: job.retention,
    fingerprint: job.fingerprint,
    version: 1,
  });
}

export function claim(job: JobRecord, by: { worker: string; leaseMs: number }, now: number): JobRecord {
  return move(job, 'claim', now, {
    status: 'InProgress',
    startedAt: now,
    progress: null,
    fence: job.fence + 1,
    worker: by.worker,
    leaseUntil: now + by.leaseMs,
  });
}

/** Extends the lease. Only progress makes a new version, because readers do not see heartbeats. */
export function renew(job: JobRecord, by: { leaseMs: number; progress?: JobProgress }, now: number): JobRecord {
  const leaseUntil = now + by.leaseMs;
  if (by.progress !== undefined) return move(job, 'renew', now, { leaseUntil, progress: by.progress });
  check(job, 'renew');
  return Object.freeze(copyJob(job, { leaseUntil }));
}

export function settle(job: JobRecord, outcome: Outcome, now: number): JobRecord {
  const free = { worker: null, leaseUntil: null };
  switch (outcome.verb) {
    case 'complete':
      return move(job, 'complete', now, {
        status: 'Completed',
        completedAt: now,
        result: outcome.result,
        error: null,
        ...free,
      });
    case 'retry':
      return move(job, 'retry', now, {
        status: 'Scheduled',
        retryCount: job.retryCount + 1,
        scheduledAt: now + boundedDelay(outcome.delayMs),
        progress: null,
        error: outcome.error,
        failedAttempts: attemptsOf(job, 'retry', outcome.error, now),
        ...free,
      });
    case 'fail':
      return move(job, 'fail', now, {
        status: 'Failed',
        completedAt: now,
        error: outcome.error,
        failedAttempts: attemptsOf(job, 'fail', outcome.error, now),
        ...free,
      });
    case 'release':
      return move(job, 'release', now, { status: 'Queued', startedAt: null, progress: null, ...free });
  }
}

export function cancel(job: JobRecord, now: number): JobRecord {
  const revoked = { worker: null, leaseUntil: null, fence: job.fence + 1 };
  return move(job, 'cancel', now, { status: 'Canceled', completedAt: now, ...revoked });
}

/**
 * Recovers a job whose worker died. The job is queued again in its old place, or fails after `maxCrashes` crashes.
 *
 * @param options.isCrash false when the worker may be alive and only could not reach the store
 */
export function recover(
  job: JobRecord,
  { maxCrashes, isCrash = true }: { maxCrashes: number; isCrash?: boolean },
  now: number,
): JobRecord {
  const crashes = isCrash ? job.crashes + 1 : job.crashes;
  const failedAttempts = isCrash ? attemptsOf(job, 'crash', WORKER_VANISHED, now) : job.failedAttempts;
  const revoked = { worker: null, leaseUntil: null, fence: job.fence + 1, crashes, failedAttempts };
  return isCrash && crashes >= maxCrashes
    ? move(job, 'recover', now, { status: 'Failed', completedAt: now, error: WORKER_CRASHED, ...revoked })
    : move(job, 'recover', now, { status: 'Queued', startedAt: null, progress: null, ...revoked });
}

/** Queues the job again with all attempts and crashes. The claim of a running job is revoked. */
export function rerun(job: JobRecord, now: number): JobRecord {
  return move(job, 'rerun', now, {
    ...(job.status === 'InProgress' ? { worker: null, leaseUntil: null, fence: job.fence + 1 } : {}),
    status: 'Queued',
    retryCount: 0,
    crashes: 0,
    scheduledAt: now,
    startedAt: null,
    completedAt: null,
    progress: null,
    error: null,
  });
}

/** When a terminal job may be purged; null for any other job. */
export function purgeableAt(job: JobRecord): number | null {
  if (!isTerminal(job.status) || job.completedAt === null) return null;
  const { completedMs, failedMs, canceledMs } = job.retention;
  return job.completedAt + { Completed: completedMs, Failed: failedMs, Canceled: canceledMs }[job.status];
}

function move(job: JobRecord, verb: Verb, now: number, changes: Changes): JobRecord {
  check(job, verb);
  changes.lastUpdatedAt = now;
  changes.version = job.version + 1;
  return Object.freeze(copyJob(job, changes));
}

function check(job: JobRecord, verb: Verb): void {
  if (allows(verb, job.status)) return;
  throw new Error(`Job ${job.id} is ${job.status}; ${verb} needs ${LIFECYCLE[verb].from.join(' or ')}.`);
}
