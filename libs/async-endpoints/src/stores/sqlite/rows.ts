import { NO_ATTEMPTS } from '../../job/attempts.js';
import {
  type FailedAttempt,
  type JobError,
  type JobProgress,
  JOB_STATUSES,
  type JobRecord,
  type JobStatus,
  type Retention,
} from '../../job/job.js';
import { purgeableAt } from '../../job/lifecycle.js';
import type { Value } from './driver.js';
import { decodeNullable, decodeText, encodeJson, encodeNullable, encodeText } from './text.js';

/** A job without its payload, as it is stored. */
export interface JobRow {
  readonly seq: number;
  readonly id: string;
  readonly name: string;
  readonly status: number;
  readonly owner: string | null;
  readonly priority: number;
  readonly retry_count: number;
  readonly max_retries: number;
  readonly crashes: number;
  readonly created_at: number;
  readonly scheduled_at: number;
  readonly started_at: number | null;
  readonly completed_at: number | null;
  readonly updated_at: number;
  readonly progress: string | null;
  readonly result: string | null;
  readonly error: string | null;
  readonly attempts: string | null;
  readonly fence: number;
  readonly worker: string | null;
  readonly lease_until: number | null;
  readonly retention: string | null;
  readonly fingerprint: string | null;
  readonly version: number;
  readonly bytes: number;
}

export interface ClaimableRow extends JobRow {
  readonly payload: string;
}

/** Of a `JobRow`. */
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

/** Most jobs have it: it is stored as NULL, and shared. */
const USUAL_RETENTION: Retention = Object.freeze({
  completedMs: 86_400_000,
  failedMs: 604_800_000,
  canceledMs: 86_400_000,
});
const USUAL = JSON.stringify(USUAL_RETENTION);

export function recordOf(row: JobRow): JobRecord {
  return Object.freeze({
    id: row.id,
    name: decodeText(row.name),
    status: statusOf(row.status),
    owner: decodeNullable(row.owner),
    priority: row.priority,
    retryCount: row.retry_count,
    maxRetries: row.max_retries,
    crashes: row.crashes,
    createdAt: row.created_at,
    scheduledAt: row.scheduled_at,
    startedAt: row.started_at,
    completedAt: row.completed_at,
    lastUpdatedAt: row.updated_at,
    progress: parsed<JobProgress>(row.progress),
    result: row.result,
    error: parsed<JobError>(row.error),
    failedAttempts: parsed<readonly FailedAttempt[]>(row.attempts) ?? NO_ATTEMPTS,
    fence: row.fence,
    worker: decodeNullable(row.worker),
    leaseUntil: row.lease_until,
    retention: parsed<Retention>(row.retention) ?? USUAL_RETENTION,
    fingerprint: decodeNullable(row.fingerprint),
    version: row.version,
  });
}

/** The values of `insert`, in its order. */
export function insertedValues(job: JobRecord, payload: string, bytes: number): Value[] {
  const retention = JSON.stringify(job.retention);
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
    retention === USUAL ? null : retention,
    encodeNullable(job.fingerprint),
    bytes,
    encodeJson(payload),
  ];
}

/** The values of `update`, in its order, but for the row's number. */
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

function lineOf({ status }: JobRecord): number {
  if (status === 'Queued') return 1;
  return status === 'Scheduled' ? 2 : 0;
}

function parsed<T>(text: string | null): T | null {
  return text === null ? null : (JSON.parse(text) as T);
}
