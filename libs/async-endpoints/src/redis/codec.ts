import type { JobError, JobProgress, JobRecord, JobStatus, Retention } from '../job/job.js';

/**
 * The stored form of a job: these fields, a line each. Free text is JSON, which has no line breaks; an empty line is null
 * or the default. Lines after the last known one are kept as they are: a newer version may have put them there.
 */
export const FIELDS = [
  'format',
  'name',
  'status',
  'owner',
  'priority',
  'retryCount',
  'maxRetries',
  'crashes',
  'createdAt',
  'dueAt',
  'startedAt',
  'completedAt',
  'lastUpdatedAt',
  'progress',
  'error',
  'fence',
  'worker',
  'leaseUntil',
  'retention',
  'fingerprint',
  'version',
  'sequence',
  'result',
  'input',
] as const;

export const FORMAT = '1';

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

/** Stored as an empty line: most jobs have it. */
const USUAL_RETENTION = '86400000,604800000,86400000';

export function decodeRecord(id: string, text: string): JobRecord {
  const line = text.split('\n');
  const createdAt = Number(line[8]);
  return Object.freeze({
    id,
    name: line[1] as string,
    status: STATUS_OF[line[2] as string] as JobStatus,
    owner: json<string>(line[3]),
    priority: Number(line[4]),
    retryCount: Number(line[5]),
    maxRetries: Number(line[6]),
    crashes: Number(line[7]),
    createdAt,
    dueAt: line[9] ? Number(line[9]) : createdAt,
    startedAt: time(line[10]),
    completedAt: time(line[11]),
    lastUpdatedAt: line[12] ? Number(line[12]) : createdAt,
    progress: json<JobProgress>(line[13]),
    error: json<JobError>(line[14]),
    fence: Number(line[15]),
    worker: json<string>(line[16]),
    leaseUntil: time(line[17]),
    retention: decodeRetention(line[18] || USUAL_RETENTION),
    fingerprint: line[19] || null,
    version: Number(line[20]),
    result: line[22] || null,
  });
}

export function inputOf(text: string): string {
  return text.split('\n', FIELDS.length)[FIELDS.length - 1] ?? '';
}

export function encodeRetention({ completedMs, failedMs, canceledMs }: Retention): string {
  const text = `${completedMs},${failedMs},${canceledMs}`;
  return text === USUAL_RETENTION ? '' : text;
}

/** JSON as one line: only JSON that somebody has laid out has line breaks, and there they mean nothing. */
export function oneLine(jsonText: string): string {
  return jsonText.includes('\n') ? jsonText.replaceAll('\n', ' ') : jsonText;
}

/** Null becomes an empty line. */
export function encodeText(value: string | null): string {
  return value === null ? '' : JSON.stringify(value);
}

function decodeRetention(text: string): Retention {
  const [completedMs, failedMs, canceledMs] = text.split(',').map(Number) as [number, number, number];
  return { completedMs, failedMs, canceledMs };
}

function json<T>(line: string | undefined): T | null {
  return line ? (JSON.parse(line) as T) : null;
}

function time(line: string | undefined): number | null {
  return line ? Number(line) : null;
}
