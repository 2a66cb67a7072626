import { randomUUID } from 'node:crypto';
import { publish } from '../events/channels.js';
import { type JobSubmission, SUBMIT_MIDDLEWARE } from '../events/middleware.js';
import { checkInteger, checkNumber, LONGEST_MS } from '../job/bounds.js';
import { carriedValues } from '../job/credentials.js';
import { decodeJob } from '../job/decode-job.js';
import type { JobDefinition } from '../job/define-job.js';
import { AsyncEndpointsError } from '../job/errors.js';
import { newJobId, parseJobId } from '../job/job-id.js';
import {
  type CarriedValues,
  type JobRecord,
  type NewJob,
  PARSED_ID,
  type RequestSnapshot,
  type Retention,
  type StoredPayload,
  type SubmittedJob,
  type TraceContext,
} from '../job/job.js';
import { parseTraceContext } from '../job/trace-context.js';
import type { JobPolicy, ResolvedOptions } from '../options/options.js';
import type { JobPolicies } from '../options/policies.js';
import { Batcher } from '../store/batcher.js';
import type { JobStore, Submission } from '../store/job-store.js';
import { fingerprint, writeJson } from './payload.js';

/** Brings jobs into the store: those that come while others are on their way there go together. */
export class JobSubmissions {
  readonly #batches: Batcher<NewJob, Submission>;

  constructor(
    private readonly store: JobStore,
    private readonly policies: JobPolicies,
    private readonly options: ResolvedOptions,
  ) {
    const { maxQueueSize: queueLimit, maxQueueBytes: queueBytes } = options.jobs;
    const limits = { queueLimit, queueBytes };
    this.#batches = new Batcher((jobs) => store.submit(jobs, limits), {
      overlap: 2,
      sizeOf: ({ payload }) => payload.length,
    });
  }

  /** @see JobManager.submit */
  submit<TResult>(
    job: JobDefinition | string,
    payload: unknown,
    options: SubmitOptions,
  ): Promise<SubmittedJob<TResult>> {
    const submission: JobSubmission = {
      store: this.store,
      name: typeof job === 'string' ? job : job.name,
      snapshot: options.snapshot,
      trace: options.trace,
    };
    return SUBMIT_MIDDLEWARE.run(submission, () => this.#insert<TResult>(job, payload, options, submission.trace));
  }

  async #insert<TResult>(
    job: JobDefinition | string,
    payload: unknown,
    options: SubmitOptions,
    trace: TraceContext | undefined,
  ): Promise<SubmittedJob<TResult>> {
    const submission = await this.#batches.push(
      newJob(this.policies.of(job), payload, this.#withContext(options), trace),
    );
    switch (submission.outcome) {
      case 'refused':
        throw new AsyncEndpointsError('QUEUE_FULL');
      case 'conflict':
        throw new AsyncEndpointsError(submission.on === 'id' ? 'REQUEST_ID_CONFLICT' : 'IDEMPOTENCY_KEY_REUSED');
      case 'existing':
        return submittedJob(submission.job, true);
      case 'created':
        publish('submit', { job: submission.job, store: this.store });
        return submittedJob(submission.job, false);
    }
  }
  #withContext(options: SubmitOptions): SubmitOptions {
    const { names, read } = this.options.context;
    if (!read || options.context) return options;
    return { ...options, context: carriedValues(names, read) };
  }
}

function submittedJob<TResult>(record: JobRecord, replayed: boolean): SubmittedJob<TResult> {
  return Object.assign(decodeJob<TResult>(record), { replayed });
}

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
  /** The trace that the run continues; a malformed one is ignored, as W3C says. Default: the active one, where traced. */
  trace?: TraceContext | undefined;
  /** The values in `JobContext.values`. Default: what the module's `context.read` returns here. */
  context?: CarriedValues | undefined;
}

const LONGEST_TEXT = 8_192;

/** @throws AsyncEndpointsError `INVALID_JOB_ID`, `INVALID_OPTION`, `PAYLOAD_TOO_LARGE`, `PAYLOAD_NOT_SERIALIZABLE` */
export function newJob(
  policy: JobPolicy,
  payload: unknown,
  options: SubmitOptions,
  trace: TraceContext | undefined,
): NewJob {
  const { id, idempotencyKey } = options;
  checkLength('owner', options.owner);
  checkLength('idempotencyKey', idempotencyKey);
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
        context: options.context,
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

export function toJobId(id: string): string {
  const parsed = parseJobId(id);
  if (parsed === null) throw new AsyncEndpointsError('INVALID_JOB_ID');
  return parsed;
}

/** A key must not outlive the job that it stands for; but a job that is not to be kept at all is not kept for a client's key. */
function keptFor({ completedMs, failedMs, canceledMs }: Retention, keyMs: number): Retention {
  const kept = (retentionMs: number) => (retentionMs === 0 ? 0 : Math.max(retentionMs, keyMs));
  return { completedMs: kept(completedMs), failedMs: kept(failedMs), canceledMs: kept(canceledMs) };
}

function fingerprintOf(payload: unknown, { fingerprint: given }: SubmitOptions): string {
  const print = (typeof given === 'function' ? given() : given) ?? fingerprint(payload);
  checkLength('fingerprint', print);
  return print;
}

function encode(payload: StoredPayload, limit: number): string {
  const json = writeJson(payload) as string;
  // No character takes more than three bytes for each of its UTF-16 units.
  if (json.length * 3 <= limit || Buffer.byteLength(json) <= limit) return json;
  throw new AsyncEndpointsError('PAYLOAD_TOO_LARGE', `The request is larger than the ${limit} bytes allowed.`);
}

/** A fraction of a millisecond is rounded up: the job must not start too early. */
function delayOf({ scheduledAt, delayMs = 0 }: SubmitOptions): number {
  if (!scheduledAt) return Math.ceil(checkNumber('delayMs', delayMs, 0, LONGEST_MS));
  const inMs = scheduledAt.getTime() - Date.now();
  if (inMs <= LONGEST_MS) return Math.max(Math.ceil(inMs), 0);
  const expected = 'a valid date, at most ten years from now';
  throw new AsyncEndpointsError('INVALID_OPTION', `scheduledAt is ${String(scheduledAt)}; expected ${expected}.`);
}

function checkLength(option: string, value: string | null | undefined): void {
  if (!value || value.length <= LONGEST_TEXT) return;
  const expected = `expected a text of at most ${LONGEST_TEXT}`;
  throw new AsyncEndpointsError('INVALID_OPTION', `${option} has ${value.length} characters; ${expected}.`);
}
