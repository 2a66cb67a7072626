import {
  DEFAULT_RETENTION,
  type FailedAttempt,
  type JobError,
  type JobProgress,
  type JobRecord,
  type JobStatus,
  type NewJob,
  type Retention,
} from '../../job/job.js';
import { decodeNullable, decodeText } from './text.js';

/** The approximate bytes of a record without its variable parts. */
const RECORD_BYTES = 300;

/** The columns of a job that all SQL stores have: numbers, texts, and JSON as text. */
export interface StoredRow {
  readonly id: string;
  readonly name: string;
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
  readonly fence: number;
  readonly worker: string | null;
  readonly lease_until: number | null;
  readonly retention: string | null;
  readonly fingerprint: string | null;
  readonly version: number;
}

export function decodeRow(row: StoredRow, status: JobStatus, failedAttempts: readonly FailedAttempt[]): JobRecord {
  return Object.freeze({
    id: row.id,
    name: decodeText(row.name),
    status,
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
    failedAttempts,
    fence: row.fence,
    worker: decodeNullable(row.worker),
    leaseUntil: row.lease_until,
    retention: parsed<Retention>(row.retention) ?? DEFAULT_RETENTION,
    fingerprint: decodeNullable(row.fingerprint),
    version: row.version,
  });
}

/** The bytes of a new job that count for the limit of waiting bytes. */
export function bytesOfNew(job: Pick<NewJob, 'name' | 'owner' | 'fingerprint' | 'payload'>): number {
  const carried = [job.payload, job.name, job.owner ?? '', job.fingerprint ?? ''];
  return carried.reduce((sum, text) => sum + Buffer.byteLength(text), RECORD_BYTES);
}

/** NULL for the default retention, which most jobs have. */
export function encodeRetention({ completedMs, failedMs, canceledMs }: Retention): string | null {
  const usual = DEFAULT_RETENTION;
  if (completedMs === usual.completedMs && failedMs === usual.failedMs && canceledMs === usual.canceledMs) return null;
  return JSON.stringify({ completedMs, failedMs, canceledMs });
}

export function parsed<T>(text: string | null): T | null {
  return text === null ? null : (JSON.parse(text) as T);
}
