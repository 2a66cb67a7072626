import { randomUUID } from 'node:crypto';
import type { NewJob } from '../job/job.js';
import type { WorkerInfo } from '../store/job-store.js';

/** The registration of a worker, with defaults for everything that a test does not set. */
export function aWorkerInfo(given: Partial<WorkerInfo> = {}): WorkerInfo {
  return { id: 'worker-1', host: 'host-1', pid: 1, version: '', slots: 10, names: ['Work'], startedAt: 0, ...given };
}

/** A submission, with defaults for everything that a test does not set. */
export function aJob(given: Partial<NewJob> = {}): NewJob {
  return {
    id: randomUUID(),
    name: 'Work',
    payload: JSON.stringify({ request: 'something' }),
    owner: null,
    priority: 0,
    delayMs: 0,
    maxRetries: 3,
    retention: { completedMs: 60_000, failedMs: 120_000, canceledMs: 30_000 },
    fingerprint: null,
    idempotency: null,
    queueLimit: null,
    ...given,
  };
}
