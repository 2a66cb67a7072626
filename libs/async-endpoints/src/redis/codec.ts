import * as lifecycle from '../job/lifecycle.js';
import type { Claim, JobError, JobProgress, JobRecord, JobStatus, NewJob, Retention } from '../job/job.js';

/*
 * The stored form of a job, format 1.
 *
 * A record is lines of text. Free text is JSON, which has no line breaks; an empty line is null or the usual value.
 *
 *   1  format, status letter, number of submission (8 hex digits), how many fixed lines (1) and bytes in them (6),
 *      createdAt, dueAt (counted from createdAt), priority, retryCount, crashes; fence, version, lastUpdatedAt (empty: createdAt), startedAt,
 *      completedAt
 *   fixed lines, which never change: name, owner, maxRetries, retention, fingerprint, and whatever a newer version adds
 *   then progress, error, result, and the input, which goes when the job completes
 *
 * A job in progress has a claim as well, and its record stays as it was. What the claim says counts: fence, version,
 * startedAt, leaseUntil, lastUpdatedAt and worker; on a second line, progress, where there is any.
 *
 * A member, which is what lists and sorted sets hold, is a number (8 hex digits) and the job id.
 */

/** A queued job is `Q` while it stands in a line, `R` in the sorted set `ready`. */
const STATUS_OF: Record<string, JobStatus> = {
  Q: 'Queued',
  S: 'Scheduled',
  P: 'InProgress',
  C: 'Completed',
  F: 'Failed',
  X: 'Canceled',
  R: 'Queued',
};

/** The letter under which jobs of a status are counted. */
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

/** Where the numbers begin in the first line. */
const NUMBERS_AT = 17;

/** Where the job id begins in a member. */
export const ID_AT = 8;

/** @param claim the claim, or '' where the job is not in progress */
export function decode(id: string, text: string, claim: string): StoredJob {
  const stored = takeApart(id, text);
  if (claim === '') return { job: Object.freeze(stored.job), input: stored.input };
  return { job: Object.freeze(Object.assign(stored.job, decodeClaim(claim))), input: stored.input };
}

/** Of a record that was told as one line; none where none was. */
export function decodeLine(id: string, line: string): JobRecord | undefined {
  return line === '' ? undefined : decode(id, line.replaceAll('\x1e', '\n'), '').job;
}

/** @param replies of each id, its record and claim, each '' where there is none */
export function decodeAll(ids: readonly string[], replies: readonly string[]): (JobRecord | null)[] {
  return ids.map((id, index) => {
    const text = replies[2 * index] as string;
    return text === '' ? null : decode(id, text, replies[2 * index + 1] as string).job;
  });
}

/** The claim of a job, from its record as it was before. */
export function claimed(id: string, text: string, by: { worker: string; leaseMs: number }, now: number): Claim {
  const { job, input } = takeApart(id, text);
  const record = lifecycle.claim(job, by, now);
  return { job: record, input, token: record.fence };
}

function takeApart(id: string, text: string): { job: Writable<JobRecord>; input: string } {
  const line = text.split('\n');
  const [first, name, owner, maxRetries, retention, fingerprint] = line as Fields;
  const numbers = new Numbers(text, NUMBERS_AT);
  const createdAt = numbers.next() as number;
  const [due, priority, retryCount, crashes] = [numbers.next(), numbers.next(), numbers.next(), numbers.next()];
  const [fence, version] = [numbers.next() as number, numbers.next() as number];
  const [updatedAt, startedAt, completedAt] = [numbers.next(), numbers.next(), numbers.next()];
  const after = 1 + Number.parseInt(first[10] as string, 16);
  const job = {
    id,
    name,
    status: statusOf(first[1] as string),
    owner: json<string>(owner),
    priority: priority as number,
    retryCount: retryCount as number,
    maxRetries: Number(maxRetries),
    crashes: crashes as number,
    createdAt,
    dueAt: createdAt + (due as number),
    startedAt,
    completedAt,
    lastUpdatedAt: updatedAt ?? createdAt,
    progress: json<JobProgress>(line[after] as string),
    result: line[after + 2] || null,
    error: json<JobError>(line[after + 1] as string),
    fence,
    worker: null,
    leaseUntil: null,
    retention: retention === '' ? USUAL_RETENTION : decodeRetention(retention),
    fingerprint: fingerprint || null,
    version,
  };
  return { job, input: line[after + 3] as string };
}

/** Reads whole numbers off a text, one after the other, in a fraction of the time that splitting it takes. */
class Numbers {
  constructor(
    private readonly text: string,
    private at: number,
  ) {}

  /** Up to what separates it from the next; null where there is none. */
  next(): number | null {
    let [value, sign] = [0, 1];
    const from = this.at;
    for (;;) {
      const code = this.text.charCodeAt(this.at++);
      if (code >= 48 && code <= 57) value = value * 10 + code - 48;
      else if (code === 45) sign = -1;
      else return this.at - from > 1 ? sign * value : null;
    }
  }
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

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

type Fields = [string, string, string, string, string, string];

/** The lines of a record that never change. */
export function encodeFixed({ name, owner, maxRetries, retention, fingerprint }: NewJob): string {
  return `${name}\n${encodeText(owner)}\n${maxRetries}\n${encodeRetention(retention)}\n${fingerprint ?? ''}\n`;
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

function decodeRetention(text: string): Retention {
  const [completedMs, failedMs, canceledMs] = text.split(',').map(Number) as [number, number, number];
  return { completedMs, failedMs, canceledMs };
}

function json<T>(line: string): T | null {
  return line === '' ? null : (JSON.parse(line) as T);
}
