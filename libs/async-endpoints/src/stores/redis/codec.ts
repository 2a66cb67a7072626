import {
  type Claim,
  DEFAULT_RETENTION,
  type FailedAttempt,
  type JobError,
  type JobProgress,
  type JobRecord,
  type JobStatus,
  type NewJob,
  type Retention,
} from '../../job/job.js';
import { NO_ATTEMPTS } from '../../job/attempts.js';
import * as lifecycle from '../../job/lifecycle.js';
import { isWhole, Numbers, NUMBERS_AT } from './first-line.js';
import { decodeText, encodeText } from './text.js';

/*
 * The stored form of a job, format 1.
 *
 * A record is lines of text. Free text is JSON, which has no line breaks; a plain name or fingerprint is kept as it is (see
 * `text.ts`). An empty line is null or the default.
 *
 *   1  format, status letter, number of submission (8 hex digits), how many fixed lines (1) and bytes in them (6),
 *      createdAt, scheduledAt (counted from createdAt), priority, retryCount, crashes; fence, version, lastUpdatedAt (empty: createdAt), startedAt,
 *      completedAt
 *   fixed lines: name, owner, maxRetries, retention, fingerprint, which never change; failed attempts, where there are
 *   any, as JSON arrays parted by tabs; and whatever a newer version adds
 *   then progress, error, result, and the payload, which is deleted when the job completes
 *
 * A job in progress also has a claim, and its record stays unchanged. The claim overrides the record: fence, version, startedAt,
 * leaseUntil, lastUpdatedAt and worker; on a second line the progress, if any.
 *
 * A member, which is what lists and sorted sets hold, is a number (8 hex digits) and the job id.
 */

/** A queued job is `Q` in the list `line`, and `R` in the sorted set `ready`. */
const STATUS_OF: Record<string, JobStatus> = {
  Q: 'Queued',
  S: 'Scheduled',
  P: 'InProgress',
  C: 'Completed',
  F: 'Failed',
  X: 'Canceled',
  R: 'Queued',
};

/** The letter of a status in the names of counters. */
export const LETTER_OF: Record<JobStatus, string> = {
  Queued: 'Q',
  Scheduled: 'S',
  InProgress: 'P',
  Completed: 'C',
  Failed: 'F',
  Canceled: 'X',
};

export function statusOf(letter: string): JobStatus {
  return STATUS_OF[letter] as JobStatus;
}

export interface StoredJob {
  readonly job: JobRecord;
  readonly payload: string;
}

/** The offset of the job id in a member. */
export const ID_AT = 8;

/**
 * @param claim the claim, or '' when the job is not in progress
 * @throws Error when the record or the claim cannot be read
 */
export function decode(id: string, text: string, claim: string): StoredJob {
  const stored = takeApart(id, text);
  if (claim === '') return { job: Object.freeze(stored.job), payload: stored.payload };
  return { job: Object.freeze(Object.assign(stored.job, decodeClaim(claim))), payload: stored.payload };
}

/** Decodes a record that was published as one line. Undefined when it cannot be read. */
export function decodeLine(id: string, line: string): JobRecord | undefined {
  try {
    return decode(id, line.replaceAll('\x1e', '\n'), '').job;
  } catch {
    return undefined;
  }
}

/** The claim of a job, made from its record before the claim. */
export function claimed(id: string, text: string, by: { worker: string; leaseMs: number }, now: number): Claim {
  const { job, payload } = takeApart(id, text);
  const record = lifecycle.claim(job, by, now);
  return { job: record, payload, fence: record.fence };
}

function takeApart(id: string, text: string): { job: Writable<JobRecord>; payload: string } {
  const line = text.split('\n');
  const [first, name, owner, maxRetries, retention, fingerprint] = line as Fields;
  const numbers = numbersOf(text);
  const after = 1 + Number.parseInt(first[10] as string, 16);
  if (!isWhole(line, after) || !areWhole(numbers)) {
    throw new Error('The record is not of format 1.');
  }
  const job = {
    id,
    name: decodeText(name),
    status: statusOf(first[1] as string),
    owner: json<string>(owner),
    priority: numbers.priority as number,
    retryCount: numbers.retryCount as number,
    maxRetries: Number(maxRetries),
    crashes: numbers.crashes as number,
    createdAt: numbers.createdAt,
    scheduledAt: numbers.createdAt + numbers.due,
    startedAt: numbers.startedAt,
    completedAt: numbers.completedAt,
    lastUpdatedAt: numbers.updatedAt ?? numbers.createdAt,
    progress: json<JobProgress>(line[after] as string),
    result: line[after + 2] || null,
    error: json<JobError>(line[after + 1] as string),
    failedAttempts: after > ATTEMPTS_AT ? decodeAttempts(line[ATTEMPTS_AT] as string) : NO_ATTEMPTS,
    fence: numbers.fence,
    worker: null,
    leaseUntil: null,
    retention: retention === '' ? DEFAULT_RETENTION : decodeRetention(retention),
    fingerprint: fingerprint === '' ? null : decodeText(fingerprint),
    version: numbers.version,
  };
  return { job, payload: line[after + 3] as string };
}

const ATTEMPTS_AT = 6;

type StoredAttempt = [number: number, worker: string, start: number, end: number, FailedAttempt['outcome'], JobError];

function decodeAttempts(line: string): readonly FailedAttempt[] {
  if (line === '') return NO_ATTEMPTS;
  const attempts = JSON.parse(`[${line.replaceAll('\t', ',')}]`) as StoredAttempt[];
  return Object.freeze(
    attempts.map(([number, worker, startedAt, endedAt, outcome, error]) => {
      return { number, worker, startedAt, endedAt, outcome, error };
    }),
  );
}

/** The numbers of a record, in their stored order, read in one pass. */
function numbersOf(text: string) {
  const numbers = new Numbers(text, NUMBERS_AT);
  return {
    createdAt: numbers.next(),
    due: numbers.next(),
    priority: numbers.next(),
    retryCount: numbers.next(),
    crashes: numbers.next(),
    fence: numbers.next(),
    version: numbers.next(),
    updatedAt: numbers.next(),
    startedAt: numbers.next(),
    completedAt: numbers.next(),
  };
}

type RecordNumbers = ReturnType<typeof numbersOf>;
type WholeNumbers = RecordNumbers & Record<'createdAt' | 'due' | 'fence' | 'version', number>;

function areWhole(numbers: RecordNumbers): numbers is WholeNumbers {
  return numbers.createdAt !== null && numbers.due !== null && numbers.fence !== null && numbers.version !== null;
}

function decodeClaim(claim: string): Partial<JobRecord> {
  const [first, progress] = claim.split('\n') as [string, string?];
  const [fence, version, started, leaseUntil, updated, ...worker] = first.split(',') as [...Fields];
  return {
    status: 'InProgress',
    fence: Number(fence),
    version: Number(version),
    startedAt: Number(started),
    leaseUntil: Number(leaseUntil),
    lastUpdatedAt: Number(updated),
    worker: json<string>(worker.join(',')),
    progress: json<JobProgress>(progress ?? ''),
  };
}

/** Decodes the worker and the lease end of a claim that was recovered. */
export function decodeHolder(text: string): { worker: string; leaseUntil: number } {
  const [leaseUntil, ...worker] = text.split(',');
  return { worker: JSON.parse(worker.join(',')) as string, leaseUntil: Number(leaseUntil) };
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

type Fields = [string, string, string, string, string, string];

/** The fixed lines of a record. */
export function encodeFixed({ name, owner, maxRetries, retention, fingerprint }: NewJob): string {
  const print = fingerprint === null ? '' : encodeText(fingerprint);
  return `${encodeText(name)}\n${encodeOwner(owner)}\n${maxRetries}\n${encodeRetention(retention)}\n${print}\n`;
}

/** Each owner has exactly one text form, because scripts compare it. */
export function encodeOwner(owner: string | null): string {
  return owner === null ? '' : JSON.stringify(owner);
}

function encodeRetention({ completedMs, failedMs, canceledMs }: Retention): string {
  const usual =
    completedMs === DEFAULT_RETENTION.completedMs &&
    failedMs === DEFAULT_RETENTION.failedMs &&
    canceledMs === DEFAULT_RETENTION.canceledMs;
  return usual ? '' : `${completedMs},${failedMs},${canceledMs}`;
}

function decodeRetention(text: string): Retention {
  const [completedMs, failedMs, canceledMs] = text.split(',').map(Number) as [number, number, number];
  return { completedMs, failedMs, canceledMs };
}

function json<T>(line: string): T | null {
  return line === '' ? null : (JSON.parse(line) as T);
}
