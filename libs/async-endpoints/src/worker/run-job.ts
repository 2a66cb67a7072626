import { JobContext } from '../handlers/job-context.js';
import type { RegisteredHandler } from '../handlers/handler-registry.js';
import { PermanentJobError } from '../job/errors.js';
import type { JobInput } from '../job/job.js';
import { decideRetry } from '../job/retry.js';
import type { RunOutcome } from '../observability/channels.js';
import type { Run } from './run.js';

/** Runs one job through its handler; whatever happens in there comes out as one verdict. */
export async function runJob(run: Run, handler: RegisteredHandler): Promise<RunOutcome> {
  try {
    return completed(run, handler, await run.finish(perform(run, handler)));
  } catch (thrown) {
    return failed(run, handler, thrown);
  }
}

async function perform(run: Run, handler: RegisteredHandler): Promise<string | null> {
  const input = decodeInput(run.claim.input);
  const context = new JobContext(run, input.snapshot);
  const instance = await handler.resolve(context);
  return encodeResult(await instance.handle(input.request, context), handler.policy.maximumResultBytes);
}

function completed(run: Run, handler: RegisteredHandler, result: string | null): RunOutcome {
  const { aborted } = run;
  // A result that came during a shutdown's grace is a result.
  if (!aborted || aborted.code === 'SHUTTING_DOWN') return { verdict: { verb: 'complete', result } };
  return failed(run, handler, aborted);
}

function failed(run: Run, handler: RegisteredHandler, thrown: unknown): RunOutcome {
  switch (run.aborted?.code) {
    case undefined:
      return { verdict: decideRetry(thrown, run.claim.job, handler.policy), cause: thrown };
    case 'JOB_TIMEOUT':
      return { verdict: decideRetry(run.aborted, run.claim.job, handler.policy), cause: run.aborted };
    case 'SHUTTING_DOWN':
      return { verdict: { verb: 'release' }, cause: run.aborted };
    default:
      return { verdict: null, cause: run.aborted };
  }
}

function decodeInput(input: string): JobInput {
  try {
    return JSON.parse(input) as JobInput;
  } catch (cause) {
    throw new PermanentJobError('The stored request cannot be read.', { code: 'INPUT_NOT_READABLE', cause });
  }
}

function encodeResult(result: unknown, limit: number): string | null {
  if (result === undefined || result === null) return null;
  let json: string | undefined;
  try {
    json = JSON.stringify(result);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw notSerializable(`The result cannot be written as JSON: ${reason}`, cause);
  }
  if (json === undefined) throw notSerializable(`A ${typeof result} cannot be written as JSON.`);
  if (Buffer.byteLength(json) <= limit) return json;
  throw new PermanentJobError(`The result is larger than the ${limit} bytes allowed.`, { code: 'RESULT_TOO_LARGE' });
}

function notSerializable(message: string, cause?: unknown): PermanentJobError {
  return new PermanentJobError(message, { code: 'RESULT_NOT_SERIALIZABLE', cause });
}
