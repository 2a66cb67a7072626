import type { Job, JobRecord } from './job.js';

/** Field by field, because spreading a record takes ten times as long. */
export function decodeJob<TResult>(record: JobRecord): Job<TResult> {
  return {
    id: record.id,
    name: record.name,
    status: record.status,
    owner: record.owner,
    priority: record.priority,
    retryCount: record.retryCount,
    maxRetries: record.maxRetries,
    crashes: record.crashes,
    createdAt: record.createdAt,
    scheduledAt: record.scheduledAt,
    startedAt: record.startedAt,
    completedAt: record.completedAt,
    lastUpdatedAt: record.lastUpdatedAt,
    progress: record.progress,
    result: record.result === null ? null : readResult<TResult>(record.id, record.result),
    error: record.error,
    failedAttempts: record.failedAttempts,
    fence: record.fence,
    worker: record.worker,
    leaseUntil: record.leaseUntil,
    retention: record.retention,
    fingerprint: record.fingerprint,
    version: record.version,
  };
}

/** Without those whose results cannot be read: one of them must not hide all others. */
export function decodeJobs(records: readonly JobRecord[]): Job[] {
  return records.flatMap((record) => {
    try {
      return decodeJob(record);
    } catch {
      return [];
    }
  });
}

/** @throws Error that does not quote the result, as a parser's would */
function readResult<TResult>(id: string, result: string): TResult {
  try {
    return JSON.parse(result) as TResult;
  } catch {
    throw new Error(`The stored result of job ${id} cannot be read: it is no JSON.`);
  }
}
