import { randomUUID } from 'node:crypto';
import { publish } from '../events/channels.js';
import { AsyncEndpointsError } from '../job/errors.js';
import { newJobId } from '../job/job-id.js';
import type { JobRecord } from '../job/job.js';
import type { JobStore } from '../store/job-store.js';
import type { ScheduleRecord } from '../store/schedules.js';
import { jobOf } from './definition.js';

/** The queue limits of all names. */
interface Limits {
  readonly maxQueueSize: number;
  readonly maxQueueBytes: number | null;
}

/** Submits a job of the schedule now. @throws AsyncEndpointsError `QUEUE_FULL` */
export async function triggerSchedule(store: JobStore, record: ScheduleRecord, limits: Limits): Promise<JobRecord> {
  const job = jobOf(record, Date.now(), newJobId(randomUUID()));
  const { maxQueueSize: queueLimit, maxQueueBytes: queueBytes } = limits;
  const [submission] = await store.submit([job], { queueLimit, queueBytes });
  if (submission?.outcome !== 'created') throw new AsyncEndpointsError('QUEUE_FULL');
  publish('submit', { job: submission.job, store });
  return submission.job;
}
