import { randomUUID } from 'node:crypto';
import { checkInteger, checkLength, checkNumber, invalid, LONGEST_MS } from '../job/bounds.js';
import { AsyncEndpointsError } from '../job/errors.js';
import { newJobId, toJobId } from '../job/job-id.js';
import {
  type CarriedValues,
  type NewJob,
  PARSED_ID,
  type RequestSnapshot,
  type Retention,
  type StoredPayload,
  type TraceContext,
} from '../job/job.js';
import { parseTraceContext } from '../job/trace-context.js';
import type { JobPolicy } from '../options/options.js';
import { fingerprint, writeJson } from './payload.js';

export interface SubmitOptions {
  /** A UUID that becomes the job's id and makes the submission idempotent. Default: a new UUID. */
  id?: string | undefined;
  /** Makes the submission idempotent within (owner, job name) for the module's `idempotencyRetentionMs`. At most 8192 characters. */
  idempotencyKey?: string | undefined;
  /**
   * Submissions with the same id or key are the same when their fingerprints are equal: any text of at most 8192 characters. A
   * function is called only when necessary, and never for a payload that is too large. Default: a digest of the payload.
   */
  fingerprint?: string | (() => string | undefined) | undefined;
  /** How long to wait before the job may start, in ms, at most ten years. Default 0. */
  delayMs?: number | undefined;
  /** The time before which the job does not start; instead of `delayMs`. */
  scheduledAt?: Date | undefined;
  /** −100 to 100; larger runs first among the jobs of its name. Default: the job's own. */
  priority?: number | undefined;
  /** Default: the job's own. */
  maxRetries?: number | undefined;
  /** The owner of the job: any text of at most 8192 characters. Default: no owner. */
  owner?: string | null | undefined;
  /** The values of an HTTP request that the handler can read. */
  snapshot?: RequestSnapshot | undefined;
  /**
   * The transaction of the caller in which the job is submitted: it exists if, and only if, the transaction commits. A `pg` client,
   * a transaction of TypeORM, Prisma, Drizzle, Knex, MikroORM, Sequelize or postgres.js, or a function `(sql, parameters) => rows`; on
   * SQLite a connection of better-sqlite3 or `node:sqlite`, or a transaction of TypeORM or Knex. The store must be in the same database.
   */
  within?: unknown;
  /** The trace that the run continues; a malformed one is ignored, as W3C says. Default: the active one, where traced. */
  trace?: TraceContext | undefined;
  /** The values in `JobContext.values`. Default: what the module's `context.read` returns here. */
  context?: CarriedValues | undefined;
}

const LONGEST_TEXT = 8_192;

/**
 * @param carried the trace and the context, when they differ from those of the options
 * @throws AsyncEndpointsError `INVALID_JOB_ID`, `INVALID_OPTION`, `PAYLOAD_TOO_LARGE`, `PAYLOAD_NOT_SERIALIZABLE`
 */
export function newJob(
  policy: JobPolicy,
  payload: unknown,
  options: SubmitOptions,
  { trace, context }: Pick<SubmitOptions, 'trace' | 'context'> = options,
): NewJob {
  const { id, idempotencyKey } = options;
  checkLength('owner', options.owner, LONGEST_TEXT);
  checkLength('idempotencyKey', idempotencyKey, LONGEST_TEXT);
  const keyMs = idempotencyKey === undefined ? 0 : policy.idempotencyRetentionMs;
  return {
    [PARSED_ID]: true,
    id: id === undefined ? newJobId(randomUUID()) : toJobId(id),
    name: policy.name,
    payload: encode(
      {
        request: payload,
        snapshot: options.snapshot,
        trace: trace && (parseTraceContext(trace) ?? undefined),
        context,
      },
      policy.maxPayloadBytes,
    ),
    owner: options.owner ?? null,
    priority: checkInteger('priority', options.priority ?? policy.priority, -100, 100),
    delayMs: delayOf(options),
    maxRetries: checkInteger('maxRetries', options.maxRetries ?? policy.maxRetries, 0, 1_000),
    retention: keyMs === 0 ? policy.retention : keptFor(policy.retention, keyMs),
    fingerprint: id === undefined && idempotencyKey === undefined ? null : fingerprintOf(payload, options),
    idempotency: idempotencyKey === undefined ? null : { key: idempotencyKey, retentionMs: keyMs },
    queueLimit: policy.maxQueueSize,
    queueBytes: policy.maxQueueBytes,
  };
}

/** Keeps a job at least as long as its idempotency key. A job with a retention of 0 is not kept for its key. */
function keptFor({ completedMs, failedMs, canceledMs }: Retention, keyMs: number): Retention {
  const kept = (retentionMs: number) => (retentionMs === 0 ? 0 : Math.max(retentionMs, keyMs));
  return { completedMs: kept(completedMs), failedMs: kept(failedMs), canceledMs: kept(canceledMs) };
}

function fingerprintOf(payload: unknown, { fingerprint: given }: SubmitOptions): string {
  const print = (typeof given === 'function' ? given() : given) ?? fingerprint(payload);
  checkLength('fingerprint', print, LONGEST_TEXT);
  return print;
}

function encode(payload: StoredPayload, limit: number): string {
  const json = writeJson(payload) as string;
  // No character takes more than three bytes for each of its UTF-16 units.
  if (json.length * 3 <= limit || Buffer.byteLength(json) <= limit) return json;
  throw new AsyncEndpointsError('PAYLOAD_TOO_LARGE', `The request is larger than the ${limit} bytes allowed.`);
}

/** Rounds up to whole milliseconds, so that the job does not start too early. */
function delayOf({ scheduledAt, delayMs = 0 }: SubmitOptions): number {
  if (!scheduledAt) return Math.ceil(checkNumber('delayMs', delayMs, 0, LONGEST_MS));
  const inMs = scheduledAt.getTime() - Date.now();
  if (inMs <= LONGEST_MS) return Math.max(Math.ceil(inMs), 0);
  throw invalid('scheduledAt', scheduledAt, 'a valid date, at most ten years from now');
}
