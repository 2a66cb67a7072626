import { randomUUID } from 'node:crypto';
import { publish } from '../events/channels.js';
import { AsyncEndpointsError } from '../job/errors.js';
import { newJobId } from '../job/job-id.js';
import type { JobRecord } from '../job/job.js';
import type { JobStore, QueueLimits } from '../store/job-store.js';
import type { ScheduleRecord } from '../store/schedules.js';
import { jobOf } from './definition.js';

/** Submits a job of the schedule now. @throws AsyncEndpointsError `QUEUE_FULL` */
export async function triggerSchedule(
  store: JobStore,
  record: ScheduleRecord,
  limits: QueueLimits,
): Promise<JobRecord> {
  const job = jobOf(record, Date.now(), newJobId(randomUUID()));
  const [submission] = await store.submit([job], limits);
  if (submission?.outcome !== 'created') throw new AsyncEndpointsError('QUEUE_FULL');
  publish('submit', { job: submission.job, store });
  return submission.job;
}
