import type { JobRecord } from '../../job/job.js';

/** About what a record takes in memory with its places in the indexes, whatever it carries. */
const RECORD_BYTES = 1_024;

/** About what a job takes in memory, in bytes: that, and all that clients and handlers can make large, in UTF-8. */
export function bytesOf(job: JobRecord, input: string): number {
  const { result, error, progress, owner, fingerprint } = job;
  const carried = lengthOf(input) + lengthOf(result) + lengthOf(error && JSON.stringify(error));
  return RECORD_BYTES + carried + lengthOf(progress?.message) + lengthOf(owner) + lengthOf(fingerprint);
}

function lengthOf(text: string | null | undefined): number {
  return text ? Buffer.byteLength(text) : 0;
}
