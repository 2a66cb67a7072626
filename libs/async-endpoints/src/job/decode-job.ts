import { copyJob } from './copy-job.js';
import type { Job, JobRecord } from './job.js';

/** The job as applications see it. */
export function decodeJob<TResult>(record: JobRecord): Job<TResult> {
  return copyJob(record, { result: decodeResult(record) }) as Job<unknown> as Job<TResult>;
}

/** Without those whose results cannot be read: one of them must not hide all others. */
export function decodeJobs(records: readonly JobRecord[]): Job[] {
  return records.flatMap((record) => {
    try {
      return decodeJob(record);
    } catch {
      return [];
    }
  });
}

/** @throws Error that does not quote the result, as a parser's would */
export function decodeResult<TResult>({ id, result }: JobRecord): TResult | null {
  if (result === null) return null;
  try {
    return JSON.parse(result) as TResult;
  } catch {
    throw new Error(`The stored result of job ${id} cannot be read: it is no JSON.`);
  }
}
