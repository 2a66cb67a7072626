import { attemptError, NO_ATTEMPTS } from '../../job/attempts.js';
import { boundedDelay } from '../../job/bounds.js';
import { parseJobId } from '../../job/job-id.js';
import type { Claim, FailedAttempt, JobRecord, JobStatus, NewJob } from '../../job/job.js';
import * as lifecycle from '../../job/lifecycle.js';
import type { QueueLimits, QueueStats, Submission } from '../../store/job-store.js';
import { isSameRequest, pausedAndEmpty } from '../../store/verbs.js';
import { bytesOfNew, decodeRow, encodeRetention, type StoredRow } from '../sql/rows.js';
import { decodeText, encodeJson, encodeNullable, encodeText } from '../sql/text.js';

/** A row of the view `record`, in JSON. */
export interface RecordRow extends StoredRow {
  readonly status: JobStatus;
  readonly attempts: readonly string[] | null;
}

export function recordOf(row: RecordRow): JobRecord {
  return decodeRow(row, row.status, row.attempts?.map(attemptOf) ?? NO_ATTEMPTS);
}

function attemptOf(text: string): FailedAttempt {
  const attempt = JSON.parse(text) as FailedAttempt;
  return { ...attempt, worker: decodeText(attempt.worker) };
}

export function claimOf(row: RecordRow & { readonly payload: string }): Claim {
  const job = recordOf({ ...row, updated_at: row.started_at as number, completed_at: null, result: null });
  return { job, payload: row.payload, fence: job.fence };
}

/** In the order of the ids. */
export function recordsById(ids: readonly string[], rows: readonly RecordRow[] | null): (JobRecord | null)[] {
  const byId = new Map(rows?.map((row) => [row.id, row]));
  return ids.map((id) => {
    const row = byId.get(id);
    return row ? recordOf(row) : null;
  });
}

const NIL = '00000000-0000-0000-0000-000000000000';

/** As a value of type uuid: the nil one, which no job has, for a text that is no id. */
export function uuidOf(id: string): string {
  return parseJobId(id) === id ? id : NIL;
}

/** What `submit` takes. */
function newJobs(jobs: readonly NewJob[]): string {
  return JSON.stringify(jobs.map(newJobRow));
}

/** The arguments of `submit`. @param within whether the caller commits */
export function submitArguments(
  jobs: readonly NewJob[],
  { queueLimit, queueBytes = null }: QueueLimits,
  within: boolean,
  now: number | null,
): unknown[] {
  return [newJobs(jobs), queueLimit, queueBytes, within, now];
}

/** A `new_job`. @param n its place */
export function newJobRow(job: NewJob, n: number) {
  return {
    n,
    id: job.id,
    name: encodeText(job.name),
    owner: encodeNullable(job.owner),
    priority: job.priority,
    delay: job.delayMs,
    max_retries: job.maxRetries,
    retention: encodeRetention(job.retention),
    fingerprint: encodeNullable(job.fingerprint),
    bytes: bytesOfNew(job),
    queue_limit: job.queueLimit,
    queue_bytes: job.queueBytes,
    scope: job.idempotency && encodeText(JSON.stringify([job.owner, job.name, job.idempotency.key])),
    key_ms: job.idempotency?.retentionMs,
    payload: encodeJson(job.payload),
  };
}

/** What `submit` replies. */
export interface SubmitReply {
  readonly now: number;
  /** What became of the jobs that were not created. */
  readonly others: readonly (
    | { readonly n: number; readonly refused: 'total' | 'name' }
    | { readonly n: number; readonly on: 'id' | 'key'; readonly known: RecordRow }
  )[];
}

export function submissionsOf(jobs: readonly NewJob[], { now, others }: SubmitReply): Submission[] {
  const byNumber = new Map(others.map((other) => [other.n, other]));
  return jobs.map((job, n): Submission => {
    const other = byNumber.get(n);
    if (!other) return { outcome: 'created', job: lifecycle.submit(job, now) };
    if ('refused' in other) return { outcome: 'refused', limit: other.refused };
    const known = recordOf(other.known);
    return isSameRequest(known, job) ? { outcome: 'existing', job: known } : { outcome: 'conflict', on: other.on };
  });
}

/** What `settle` takes. */
export function settlementRows(settlements: readonly lifecycle.Settlement[]): string {
  return JSON.stringify(
    settlements.map((settlement, n) => {
      const { id, fence, verb } = settlement;
      const common = { n, id: uuidOf(id), name: encodeText(settlement.name), fence, verb };
      if (verb === 'release') return common;
      if (verb === 'complete') return { ...common, result: settlement.result && encodeJson(settlement.result) };
      const error = JSON.stringify(settlement.error);
      const attempt = JSON.stringify(attemptError(settlement.error));
      return {
        ...common,
        error_code: encodeText(settlement.error.code),
        error,
        attempt,
        delay: verb === 'retry' ? boundedDelay(settlement.delayMs) : 0,
      };
    }),
  );
}

/** What `stats` replies. */
export interface StatsReply {
  readonly paused: readonly string[];
  readonly counts: readonly {
    readonly name: string;
    readonly queued: number;
    readonly scheduled: number;
    readonly running: number;
    readonly completed: number;
    readonly failed: number;
    readonly canceled: number;
    readonly queued_bytes: number;
    readonly scheduled_bytes: number;
    /** For how long the earliest has been due, or in progress; null where there is none. */
    readonly waiting_ms: number | null;
    readonly running_ms: number | null;
  }[];
}

export function statsOf({ paused, counts }: StatsReply): QueueStats[] {
  const names = new Set(paused.map(decodeText));
  const stats = counts.flatMap((of): QueueStats[] => {
    const name = decodeText(of.name);
    const entry = (status: JobStatus, count: number, bytes: number | null, oldestAgeMs: number | null) => {
      return { name, status, count, bytes, oldestAgeMs, isPaused: names.has(name) };
    };
    return [
      entry('Queued', of.queued, of.queued_bytes, of.waiting_ms),
      entry('Scheduled', of.scheduled, of.scheduled_bytes, of.waiting_ms),
      entry('InProgress', of.running, null, of.running_ms),
      entry('Completed', of.completed, null, null),
      entry('Failed', of.failed, null, null),
      entry('Canceled', of.canceled, null, null),
    ].filter(({ count }) => count > 0);
  });
  const queued = new Set(stats.filter(({ status }) => status === 'Queued').map(({ name }) => name));
  return [...stats, ...[...names].filter((name) => !queued.has(name)).map(pausedAndEmpty)];
}
