import { NO_ATTEMPTS } from '../../job/attempts.js';
import { type FailedAttempt, JOB_STATUSES, type JobRecord, type JobStatus } from '../../job/job.js';
import { purgeableAt } from '../../job/lifecycle.js';
import type { Value } from './driver.js';
import { decodeRow, encodeRetention, parsed, type StoredRow } from '../sql/rows.js';
import { encodeJson, encodeNullable, encodeText } from '../sql/text.js';

/** The stored columns of a job, without its payload. */
export interface JobRow extends StoredRow {
  readonly seq: number;
  readonly status: number;
  readonly attempts: string | null;
  readonly bytes: number;
}

export interface ClaimableRow extends JobRow {
  readonly payload: string;
}

/** The columns of a `JobRow`. */
export const COLUMNS =
  'seq, id, name, status, owner, priority, retry_count, max_retries, crashes, created_at, scheduled_at, started_at, ' +
  'completed_at, updated_at, progress, result, error, attempts, fence, worker, lease_until, retention, fingerprint, version, bytes';

const CODES = Object.fromEntries(JOB_STATUSES.map((status, code) => [status, code])) as Record<JobStatus, number>;

export function codeOf(status: JobStatus): number {
  return CODES[status];
}

export function statusOf(code: number): JobStatus {
  return JOB_STATUSES[code] as JobStatus;
}

export function recordOf(row: JobRow): JobRecord {
  return decodeRow(row, statusOf(row.status), parsed<readonly FailedAttempt[]>(row.attempts) ?? NO_ATTEMPTS);
}

/** The values for the statement `insert`, in its order. */
export function insertedValues(job: JobRecord, payload: string, bytes: number): Value[] {
  return [
    job.id,
    encodeText(job.name),
    codeOf(job.status),
    lineOf(job),
    encodeNullable(job.owner),
    job.priority,
    job.maxRetries,
    job.createdAt,
    job.scheduledAt,
    job.createdAt,
    encodeRetention(job.retention),
    encodeNullable(job.fingerprint),
    bytes,
    encodeJson(payload),
  ];
}

/** The values for the statement `update`, in its order, without the number of the row. */
export function updatedValues(job: JobRecord): Value[] {
  return [
    codeOf(job.status),
    lineOf(job),
    job.retryCount,
    job.crashes,
    job.scheduledAt,
    job.startedAt,
    job.completedAt,
    job.lastUpdatedAt,
    purgeableAt(job),
    job.progress && JSON.stringify(job.progress),
    job.result === null ? null : encodeJson(job.result),
    job.error && JSON.stringify(job.error),
    job.failedAttempts.length === 0 ? null : JSON.stringify(job.failedAttempts),
    job.fence,
    encodeNullable(job.worker),
    job.leaseUntil,
    job.version,
    job.status === 'Completed' ? 1 : 0,
  ];
}

/** The values for the statement `claim`, in its order, without the number of the row. */
export function claimedValues(job: JobRecord): Value[] {
  return [
    codeOf(job.status),
    lineOf(job),
    job.startedAt,
    job.lastUpdatedAt,
    job.fence,
    encodeNullable(job.worker),
    job.leaseUntil,
    job.version,
  ];
}

function lineOf({ status }: JobRecord): number {
  if (status === 'Queued') return 1;
  return status === 'Scheduled' ? 2 : 0;
}
