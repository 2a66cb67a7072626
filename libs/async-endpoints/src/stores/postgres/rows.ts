import { attemptError, NO_ATTEMPTS } from '../../job/attempts.js';
import { boundedDelay } from '../../job/bounds.js';
import { parseJobId } from '../../job/job-id.js';
import type { Claim, FailedAttempt, JobError, JobRecord, JobStatus, NewJob } from '../../job/job.js';
import * as lifecycle from '../../job/lifecycle.js';
import type { ClaimRequest, QueueLimits, Submission } from '../../store/job-store.js';
import { isSameRequest } from '../../job/decide.js';
import { bytesOfNew, decodeRow, encodeRetention, type StoredRow } from '../sql/rows.js';
import { decodeText, encodeJson, encodeNullable, encodeText } from '../sql/text.js';

/** A row of the view `record`, in JSON. */
export interface RecordRow extends StoredRow {
  readonly status: JobStatus;
  readonly attempts: readonly string[] | null;
}

export function recordOf(row: RecordRow): JobRecord {
  return decodeRow(row, row.status, attemptsOf(row.attempts));
}

function attemptsOf(texts: readonly string[] | null): readonly FailedAttempt[] {
  if (!texts) return NO_ATTEMPTS;
  return texts.map((text) => {
    const attempt = JSON.parse(text) as FailedAttempt;
    return { ...attempt, worker: decodeText(attempt.worker) };
  });
}

type Numbers = readonly [number, number, number, number, number, number, number, number];
type Texts = readonly [
  owner: string | null,
  fingerprint: string | null,
  retention: string | null,
  error: string | null,
];

/** What `claim` replies for each job; the rest, its caller knows. */
export type ClaimRow = readonly [id: string, Numbers, Texts, attempts: readonly string[] | null, payload: string];

export function claimOf(row: ClaimRow, name: string, { worker, leaseMs }: ClaimRequest, now: number): Claim {
  const [id, numbers, [owner, fingerprint, retention, error], attempts, payload] = row;
  const [fence, priority, retry_count, max_retries, crashes, created_at, scheduled_at, version] = numbers;
  // One literal: to spread several costs as much as all the rest.
  const stored = {
    id,
    name: encodeText(name),
    owner,
    fence,
    priority,
    retry_count,
    max_retries,
    crashes,
    created_at,
    scheduled_at,
    started_at: now,
    completed_at: null,
    updated_at: now,
    progress: null,
    result: null,
    error,
    worker: encodeText(worker),
    lease_until: now + leaseMs,
    retention,
    fingerprint,
    version,
  };
  return { job: decodeRow(stored, 'InProgress', attemptsOf(attempts)), payload, fence };
}

/** The records in the order of the ids; null for an unknown id. */
export function recordsById(ids: readonly string[], rows: readonly RecordRow[] | null): (JobRecord | null)[] {
  const byId = new Map(rows?.map((row) => [row.id, row]));
  return ids.map((id) => {
    const row = byId.get(id);
    return row ? recordOf(row) : null;
  });
}

const NIL = '00000000-0000-0000-0000-000000000000';

/** The id as a value of type `uuid`. A text that is not a valid id becomes the nil UUID, which no job has. */
export function uuidOf(id: string): string {
  return parseJobId(id) === id ? id : NIL;
}

/** The arguments of the SQL function `submit`. @param within whether the caller commits */
export function submitArguments(
  jobs: readonly NewJob[],
  { queueLimit, queueBytes = null }: QueueLimits,
  within: boolean,
  now: number | null,
): unknown[] {
  const rows = jobs.map(newJobRow);
  const size = rows.reduce((sum, { bytes }) => sum + bytes, 0);
  const isPlain = rows.every(
    (row) => row.scope === undefined && row.queue_limit === undefined && row.queue_bytes === undefined,
  );
  return [JSON.stringify(rows), jobs.length, size, isPlain, queueLimit, queueBytes, within, now];
}

/** A value of the type `new_job`, in which what is undefined is NULL. @param n its position in the batch */
export function newJobRow(job: NewJob, n: number) {
  return {
    n,
    id: job.id,
    name: encodeText(job.name),
    owner: encodeNullable(job.owner) ?? undefined,
    priority: job.priority,
    delay: job.delayMs,
    max_retries: job.maxRetries,
    retention: encodeRetention(job.retention) ?? undefined,
    fingerprint: encodeNullable(job.fingerprint) ?? undefined,
    bytes: bytesOfNew(job),
    queue_limit: job.queueLimit ?? undefined,
    queue_bytes: job.queueBytes ?? undefined,
    scope: job.idempotency ? encodeText(JSON.stringify([job.owner, job.name, job.idempotency.key])) : undefined,
    key_ms: job.idempotency?.retentionMs,
    payload: encodeJson(job.payload),
  };
}

/** The reply of the SQL function `submit`. */
export interface SubmitReply {
  readonly now: number;
  /** The outcomes of the jobs that were not created. */
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

/** The arguments of `settle`. */
export function settlementArguments(all: readonly lifecycle.Settlement[]): unknown[] {
  const ofEach = <T>(of: (settlement: lifecycle.Settlement) => T) => all.map(of);
  const ofErrors = (of: (error: JobError) => string) => ofEach((one) => (hasError(one) ? of(one.error) : null));
  const hasErrors = all.some(hasError);
  const isAnyWaiting = all.some(({ verb }) => verb === 'retry' || verb === 'release');
  return [
    ofEach(({ id }) => uuidOf(id)),
    ofEach(({ name }) => encodeText(name)),
    ofEach(({ fence }) => fence),
    ofEach(({ verb }) => verb),
    ofEach((one) => {
      if (hasError(one)) return JSON.stringify(one.error);
      return one.verb === 'complete' && one.result !== null ? encodeJson(one.result) : null;
    }),
    hasErrors ? ofErrors(({ code }) => encodeText(code)) : null,
    hasErrors ? ofErrors((error) => JSON.stringify(attemptError(error))) : null,
    isAnyWaiting ? ofEach((one) => (one.verb === 'retry' ? boundedDelay(one.delayMs) : 0)) : null,
  ];
}

function hasError(
  settlement: lifecycle.Settlement,
): settlement is Extract<lifecycle.Settlement, { verb: 'fail' | 'retry' }> {
  return settlement.verb === 'fail' || settlement.verb === 'retry';
}
