import type { FailedAttempt, JobError, JobRecord } from './job.js';

/** The error of a job whose workers vanished too often while they held it. */
export const WORKER_CRASHED: JobError = {
  code: 'WORKER_CRASHED',
  message: 'The worker that ran this job vanished, as often as is allowed.',
};

/** The error of an attempt whose worker vanished. */
export const WORKER_VANISHED: JobError = { code: WORKER_CRASHED.code, message: 'The worker vanished.' };

export const NO_ATTEMPTS: readonly FailedAttempt[] = Object.freeze([]);

/** So many failed attempts of a job are kept. */
export const MAX_ATTEMPTS = 10;

const MAX_ATTEMPT_MESSAGE = 500;

/** What is kept of an error with its attempt. */
export function attemptError({ code, message, internal }: JobError): JobError {
  return { code, message: message.slice(0, MAX_ATTEMPT_MESSAGE), ...(internal && { internal }) };
}

/** The kept attempts once the present one has ended so. */
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
