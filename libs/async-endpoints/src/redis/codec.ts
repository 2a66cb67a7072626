import type { JobError, JobProgress, JobRecord, JobStatus, NewJob, Retention } from '../job/job.js';

/*
 * The stored form of a job, format 1: lines of text. Scripts take it apart with one pattern (`transition.lua.ts`) and
 * readers with one split. Free text is JSON, which has no line breaks; an empty line is null or the usual value. Lines
 * after the last known one are kept as they are: a newer version may have put them there.
 *
 *   1  format, status letter, fence, version, lastUpdatedAt, startedAt, leaseUntil in progress or completedAt when
 *      finished, worker: all that a claim changes, so that it can be replaced without a look at the rest
 *   2  number of submission (8 hex digits), priority, createdAt, dueAt (counted from createdAt), retryCount, crashes
 *   3  name   4  owner   5  maxRetries   6  retention   7  fingerprint
 *   8  progress   9  error   10  result   11  input
 */

const STATUS_OF: Record<string, JobStatus> = {
  Q: 'Queued',
  S: 'Scheduled',
  P: 'InProgress',
  C: 'Completed',
  F: 'Failed',
  X: 'Canceled',
};

/** The letter under which a status is stored. */
export const LETTER_OF = Object.fromEntries(
  Object.entries(STATUS_OF).map(([letter, status]) => [status, letter]),
) as Record<JobStatus, string>;

export function statusOf(letter: string): JobStatus {
  return STATUS_OF[letter] as JobStatus;
}

/** Stored as an empty line: most jobs have it. */
const USUAL_RETENTION: Retention = Object.freeze({
  completedMs: 86_400_000,
  failedMs: 604_800_000,
  canceledMs: 86_400_000,
});

export interface StoredJob {
  readonly job: JobRecord;
  readonly input: string;
}

export function decode(id: string, text: string): StoredJob {
  const line = text.split('\n') as Lines;
  const [fence, version, updated, started, second] = line[0].slice(2).split(',', 5) as Fields;
  const [, priority, created, due, retries, crashes] = line[1].split(',') as Fields;
  const status = statusOf(line[0][1] as string);
  const running = status === 'InProgress';
  const createdAt = Number(created);
  const job: JobRecord = {
    id,
    name: line[2],
    status,
    owner: json<string>(line[3]),
    priority: Number(priority),
    retryCount: Number(retries),
    maxRetries: Number(line[4]),
    crashes: Number(crashes),
    createdAt,
    dueAt: createdAt + Number(due),
    startedAt: time(started),
    completedAt: running ? null : time(second),
    lastUpdatedAt: time(updated) ?? createdAt,
    progress: json<JobProgress>(line[7]),
    result: line[9] || null,
    error: json<JobError>(line[8]),
    fence: Number(fence),
    worker: running ? json<string>(line[0].split(',').slice(5).join(',')) : null,
    leaseUntil: running ? time(second) : null,
    retention: line[5] === '' ? USUAL_RETENTION : decodeRetention(line[5]),
    fingerprint: line[6] || null,
    version: Number(version),
  };
  return { job: Object.freeze(job), input: line[10] };
}

type Lines = [string, string, string, string, string, string, string, string, string, string, string];
type Fields = [string, string, string, string, string, string];

/** What is known of a new job before the store gives it a time and a number: the third line and all after it. */
export function encodeNew(job: NewJob): string {
  const fixed = [
    job.name,
    encodeText(job.owner),
    job.maxRetries,
    encodeRetention(job.retention),
    job.fingerprint ?? '',
  ];
  return `${fixed.join('\n')}\n\n\n\n${oneLine(job.input)}`;
}

function encodeRetention({ completedMs, failedMs, canceledMs }: Retention): string {
  const usual =
    completedMs === USUAL_RETENTION.completedMs &&
    failedMs === USUAL_RETENTION.failedMs &&
    canceledMs === USUAL_RETENTION.canceledMs;
  return usual ? '' : `${completedMs},${failedMs},${canceledMs}`;
}

/** JSON as one line: only JSON that somebody has laid out has line breaks, and there they mean nothing. */
export function oneLine(jsonText: string): string {
  return jsonText.includes('\n') ? jsonText.replaceAll('\n', ' ') : jsonText;
}

/** Null becomes an empty line. */
function encodeText(value: string | null): string {
  return value === null ? '' : JSON.stringify(value);
}

function time(field: string): number | null {
  return field === '' ? null : Number(field);
}

function decodeRetention(text: string): Retention {
  const [completedMs, failedMs, canceledMs] = text.split(',').map(Number) as [number, number, number];
  return { completedMs, failedMs, canceledMs };
}

function json<T>(line: string): T | null {
  return line === '' ? null : (JSON.parse(line) as T);
}
