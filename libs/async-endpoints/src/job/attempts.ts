import type { FailedAttempt, JobError, JobRecord } from './job.js';

/** The error of a job whose workers died `maxCrashes` times. */
export const WORKER_CRASHED: JobError = {
  code: 'WORKER_CRASHED',
  message: 'The workers of this job died too often.',
};

/** The error of an attempt whose worker died. */
export const WORKER_VANISHED: JobError = { code: WORKER_CRASHED.code, message: 'The worker died.' };

export const NO_ATTEMPTS: readonly FailedAttempt[] = Object.freeze([]);

/** The number of failed attempts that are kept with a job. */
export const MAX_ATTEMPTS = 10;

const MAX_ATTEMPT_MESSAGE = 500;

/** The part of an error that is kept with its attempt. */
export function attemptError({ code, message, internal }: JobError): JobError {
  return { code, message: message.slice(0, MAX_ATTEMPT_MESSAGE), ...(internal && { internal }) };
}

/** The kept attempts after the current one has ended with this outcome. */
export function attemptsOf(
  job: JobRecord,
  outcome: FailedAttempt['outcome'],
  error: JobError,
  now: number,
): readonly FailedAttempt[] {
  const attempt = {
    number: job.retryCount + job.crashes + 1,
    worker: job.worker as string,
    startedAt: job.startedAt as number,
    endedAt: now,
    outcome,
    error: attemptError(error),
  };
  return Object.freeze([...job.failedAttempts.slice(1 - MAX_ATTEMPTS), attempt]);
}
