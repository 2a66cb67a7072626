import type { JobError, JobProgress, JobRecord, JobStatus, Retention } from '../job/job.js';

/*
 * The stored form of a job, format 1: lines of text. Scripts take it apart with one pattern (`transition.lua.ts`) and
 * readers with one split. Free text is JSON, which has no line breaks; an empty line is null or the usual value. Lines
 * after the last known one are kept as they are: a newer version may have put them there.
 *
 *   1  format, status letter, number of submission (8 hex digits), then after commas: priority, createdAt, dueAt and
 *      lastUpdatedAt (both counted from createdAt), fence, version, retryCount, crashes
 *   2  startedAt, then leaseUntil and the worker in progress, completedAt when finished
 *   3  progress   4  error   5  result
 *   6  name   7  owner   8  maxRetries   9  retention   10  fingerprint   11  input
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
const INPUT_LINE = 10;

export interface StoredJob {
  readonly job: JobRecord;
  readonly input: string;
}

export function decode(id: string, text: string): StoredJob {
  const line = text.split('\n') as [string, string, string, string, string, string, string, string, string, string];
  const scalars = line[0].split(',');
  const status = statusOf(line[0][1] as string);
  const createdAt = Number(scalars[2]);
  const { startedAt, leaseUntil, completedAt, worker } = decodeTimes(status, line[1]);
  const job: JobRecord = {
    id,
    name: line[5],
    status,
    owner: json<string>(line[6]),
    priority: Number(scalars[1]),
    retryCount: Number(scalars[7]),
    maxRetries: Number(line[7]),
    crashes: Number(scalars[8]),
    createdAt,
    dueAt: createdAt + Number(scalars[3]),
    startedAt,
    completedAt,
    lastUpdatedAt: createdAt + Number(scalars[4]),
    progress: json<JobProgress>(line[2]),
    result: line[4] || null,
    error: json<JobError>(line[3]),
    fence: Number(scalars[5]),
    worker,
    leaseUntil,
    retention: line[8] === '' ? USUAL_RETENTION : decodeRetention(line[8]),
    fingerprint: line[9] || null,
    version: Number(scalars[6]),
  };
  return { job: Object.freeze(job), input: (line as string[])[INPUT_LINE] ?? '' };
}

export function encodeRetention({ completedMs, failedMs, canceledMs }: Retention): string {
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
export function encodeText(value: string | null): string {
  return value === null ? '' : JSON.stringify(value);
}

function decodeTimes(status: JobStatus, line: string) {
  const [started = '', second = ''] = line.split(',', 2);
  const running = status === 'InProgress';
  const at = second === '' ? null : Number(second);
  return {
    startedAt: started === '' ? null : Number(started),
    leaseUntil: running ? at : null,
    completedAt: running ? null : at,
    worker: running ? json<string>(line.slice(started.length + second.length + 2)) : null,
  };
}

function decodeRetention(text: string): Retention {
  const [completedMs, failedMs, canceledMs] = text.split(',').map(Number) as [number, number, number];
  return { completedMs, failedMs, canceledMs };
}

function json<T>(line: string): T | null {
  return line === '' ? null : (JSON.parse(line) as T);
}
