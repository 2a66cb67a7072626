import { isObservable } from 'rxjs';
import type { RunEnd } from '../events/middleware.js';
import { lastValueOf, type RegisteredHandler } from '../handlers/handler-registry.js';
import { JobContext } from '../handlers/job-context.js';
import type { ResultSerializer } from '../handlers/result-serializer.js';
import { PermanentJobError, RetryJobError } from '../job/errors.js';
import type { StoredPayload } from '../job/job.js';
import { decideRetry } from '../job/retry.js';
import type { Run } from './run.js';

/**
 * Runs one job through its handler. Every result and every error becomes one outcome.
 *
 * @param isStopping whether the application shuts down: then dependencies of the handler may be closed
 */
export async function runJob(
  run: Run,
  handler: RegisteredHandler,
  results: ResultSerializer,
  isStopping: () => boolean,
): Promise<RunEnd> {
  try {
    return completed(run, handler, await run.finish(perform(run, handler, results)));
  } catch (thrown) {
    try {
      if (run.aborted || !isStopping() || saysOutcome(thrown)) return failed(run, handler, thrown);
      return { outcome: { verb: 'release' }, cause: thrown };
    } catch {
      // The thrown value may be a Proxy or have getters that throw. It fails its own job and nothing else.
      const unreadable = new Error('What the handler threw cannot be read.');
      return failed(run, handler, Object.assign(unreadable, { code: 'UNKNOWN_ERROR' }));
    }
  }
}

/** Whether the thrown error itself decides the outcome of the job. */
function saysOutcome(thrown: unknown): boolean {
  return thrown instanceof PermanentJobError || thrown instanceof RetryJobError;
}

async function perform(run: Run, handler: RegisteredHandler, results: ResultSerializer): Promise<string | null> {
  const stored = decodePayload(run.claim.payload);
  const context = new JobContext(run, stored);
  const returned = await handler.run(stored.request, context);
  const result = isObservable(returned) ? await lastValueOf(returned, context.signal) : returned;
  return encodeResult(result, handler, results);
}

function completed(run: Run, handler: RegisteredHandler, result: string | null): RunEnd {
  const { aborted } = run;
  // A result that arrives in the grace of a shutdown counts.
  if (!aborted || aborted.code === 'SHUTTING_DOWN') return { outcome: { verb: 'complete', result } };
  return failed(run, handler, aborted);
}

function failed(run: Run, handler: RegisteredHandler, thrown: unknown): RunEnd {
  switch (run.aborted?.code) {
    case undefined:
      return { outcome: decideRetry(thrown, run.claim.job, handler.policy), cause: thrown };
    case 'JOB_TIMEOUT':
      return { outcome: decideRetry(run.aborted, run.claim.job, handler.policy), cause: run.aborted };
    case 'SHUTTING_DOWN':
      return { outcome: { verb: 'release' }, cause: run.aborted };
    default:
      return { outcome: null, cause: run.aborted };
  }
}

function decodePayload(text: string): StoredPayload {
  try {
    return JSON.parse(text) as StoredPayload;
  } catch {
    // Leave out the error of the parser: it quotes the payload.
    throw new PermanentJobError('The stored payload cannot be read.', { code: 'PAYLOAD_NOT_READABLE' });
  }
}

/** Asynchronous only when a serializer of the application is. */
function encodeResult(
  result: unknown,
  { declaredBy, policy }: RegisteredHandler,
  results: ResultSerializer,
): string | null | Promise<string> {
  if (result === undefined || result === null) return null;
  const checked = (json: string | undefined) => checkResult(json, result, policy.maxResultBytes);
  let json: ReturnType<ResultSerializer['stringify']>;
  try {
    json = results.stringify(result, declaredBy);
  } catch (cause) {
    return refuse(cause);
  }
  return json instanceof Promise ? json.then(checked, refuse) : checked(json);
}

function refuse(cause: unknown): never {
  const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
  throw notSerializable(`The result cannot be written as JSON: ${reason}`, cause);
}

function checkResult(json: string | undefined, result: unknown, limit: number): string {
  if (json === undefined) throw notSerializable(`A ${typeof result} cannot be written as JSON.`);
  // A UTF-16 unit takes at most three bytes in UTF-8.
  if (json.length * 3 <= limit || Buffer.byteLength(json) <= limit) return json;
  throw new PermanentJobError(`The result is larger than the ${limit} bytes allowed.`, { code: 'RESULT_TOO_LARGE' });
}

function notSerializable(message: string, cause?: unknown): PermanentJobError {
  return new PermanentJobError(message, { code: 'RESULT_NOT_SERIALIZABLE', cause });
}
