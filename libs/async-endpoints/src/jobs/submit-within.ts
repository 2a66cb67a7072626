import { invalidOption } from '../job/errors.js';
import type { NewJob } from '../job/job.js';
import { textPropertyOf } from '../job/thrown.js';
import type { JobStore, QueueLimits, Submission } from '../store/job-store.js';
import { transactionOf } from '../store/transaction.js';
import { unavailable } from '../store/unavailable.js';

/**
 * Submits a job in the transaction of the caller.
 *
 * @throws AsyncEndpointsError `INVALID_OPTION`; an error with the code of the database
 */
export async function submitWithin(
  store: JobStore,
  within: unknown,
  job: NewJob,
  limits: QueueLimits,
): Promise<Submission> {
  const transaction = transactionOf(within);
  if (!store.submitWithin)
    throw invalidOption(
      'within needs a job store in the database of the transaction: PostgresJobStore or SqliteJobStore.',
    );
  const [submission] = await store.submitWithin(transaction, [job], limits);
  return submission as Submission;
}

/** Of PostgreSQL and its connections: the transaction lost a race, waited too long for a lock, or lost its server. */
const PASSING_CODES = /^(?:(?:08|40|53|57)[0-9A-Z]{3}|55P03|E[A-Z]{4,})$/;

/** The error for the client when the transaction fails: `STORE_UNAVAILABLE` for an error that a retry may avoid. */
export function withoutTransaction(error: unknown): unknown {
  return PASSING_CODES.test(textPropertyOf(error, 'code') ?? '') ? unavailable(error) : error;
}
