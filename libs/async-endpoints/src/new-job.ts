import { randomUUID } from 'node:crypto';
import { fingerprint } from './fingerprint.js';
import { AsyncEndpointsError } from './job/errors.js';
import type { JobInput, NewJob, RequestSnapshot, TraceContext } from './job/job.js';
import { parseJobId } from './job/job-id.js';
import { parseTraceContext } from './job/trace-context.js';
import type { JobPolicy } from './options.js';
import { writeJson } from './write-json.js';

export interface SubmitOptions {
  /** A UUID that becomes the job's id, and makes the submission idempotent. Default: a random one. */
  id?: string;
  /** Makes the submission idempotent within (owner, job name) for the module's `idempotencyRetentionMs`. */
  idempotencyKey?: string;
  /** What must be the same for a repeat to be one. Default: a digest of the request. */
  fingerprint?: string;
  /** How long to wait before the job may start, in ms. Default 0. */
  delayMs?: number;
  /** Not to start before this time; instead of `delayMs`. */
  dueAt?: Date;
  /** −100 to 100; larger runs first among the jobs of its name. Default: the job's own. */
  priority?: number;
  /** Default: the job's own. */
  maxRetries?: number;
  /** The principal it belongs to. Default nobody. */
  owner?: string | null;
  /** What the handler may know of the HTTP request behind the job. */
  snapshot?: RequestSnapshot;
  /** The trace that the run continues; a malformed one is ignored, as W3C says. Default: the active one, where traced. */
  trace?: TraceContext;
}

const LONGEST_DELAY_MS = 10 * 365 * 86_400_000;

/** @throws AsyncEndpointsError `INVALID_JOB_ID`, `INVALID_OPTION`, `PAYLOAD_TOO_LARGE`, `PAYLOAD_NOT_SERIALIZABLE` */
export function newJob(
  policy: JobPolicy,
  request: unknown,
  options: SubmitOptions,
  trace: TraceContext | undefined,
): NewJob {
  const { id, idempotencyKey, dueAt } = options;
  const keyMs = idempotencyKey === undefined ? 0 : policy.idempotencyRetentionMs;
  const delayMs = dueAt ? Math.max(dueAt.getTime() - Date.now(), 0) : (options.delayMs ?? 0);
  const { completedMs, failedMs, canceledMs } = policy.retention;
  return {
    id: id === undefined ? randomUUID() : toJobId(id),
    name: policy.name,
    input: encode(
      { request, snapshot: options.snapshot, trace: trace && (parseTraceContext(trace) ?? undefined) },
      policy.maximumPayloadBytes,
    ),
    owner: options.owner ?? null,
    priority: integer('priority', options.priority ?? policy.priority, -100, 100),
    delayMs: integer('delayMs', Math.ceil(delayMs), 0, LONGEST_DELAY_MS),
    maxRetries: integer('maxRetries', options.maxRetries ?? policy.maxRetries, 0, 1_000),
    // A key must not outlive the job that it stands for.
    retention: {
      completedMs: Math.max(completedMs, keyMs),
      failedMs: Math.max(failedMs, keyMs),
      canceledMs: Math.max(canceledMs, keyMs),
    },
    fingerprint:
      id === undefined && idempotencyKey === undefined ? null : (options.fingerprint ?? fingerprint(request)),
    idempotency: idempotencyKey === undefined ? null : { key: idempotencyKey, retentionMs: keyMs },
    queueLimit: policy.maximumQueueSize,
  };
}

export function toJobId(id: string): string {
  const parsed = parseJobId(id);
  if (parsed === null) throw new AsyncEndpointsError('INVALID_JOB_ID');
  return parsed;
}

function encode(input: JobInput, limit: number): string {
  const json = writeJson(input) as string;
  // No character takes more than three bytes for each of its UTF-16 units.
  if (json.length * 3 <= limit || Buffer.byteLength(json) <= limit) return json;
  throw new AsyncEndpointsError('PAYLOAD_TOO_LARGE', `The request is larger than the ${limit} bytes allowed.`);
}

function integer(option: string, value: number, from: number, to: number): number {
  if (Number.isInteger(value) && value >= from && value <= to) return value;
  throw new AsyncEndpointsError('INVALID_OPTION', `${option} is ${value}; expected an integer from ${from} to ${to}.`);
}
