import { AsyncEndpointsError } from './errors.js';
import { PARSED_ID } from './job.js';

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/;
const NIL = '00000000-0000-0000-0000-000000000000';

/**
 * A UUID of version 7 (RFC 9562): ids that are made one after the other stand near each other in a store's indexes. 74 of
 * its bits are random, so nobody can guess one from another.
 *
 * @param random a random UUID, which gives those bits
 */
export function newJobId(random: string, now = Date.now()): string {
  const time = now.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(15)}`;
}

/** The id in the form in which it is stored, or null where the text is no UUID, or the nil one. */
export function parseJobId(text: string): string | null {
  const id = text.toLowerCase();
  return UUID.test(id) && id !== NIL ? id : null;
}

/** @throws AsyncEndpointsError `INVALID_JOB_ID` where the text is no UUID */
export function toJobId(text: string): string {
  const id = parseJobId(text);
  if (id === null) throw new AsyncEndpointsError('INVALID_JOB_ID');
  return id;
}

/**
 * For stores: ids are part of what they write.
 *
 * @throws AsyncEndpointsError `INVALID_JOB_ID` where one is no lower-case UUID
 */
export function checkJobIds(jobs: readonly { readonly id: string; readonly [PARSED_ID]?: true }[]): void {
  if (!jobs.every((job) => job[PARSED_ID] || UUID.test(job.id))) throw new AsyncEndpointsError('INVALID_JOB_ID');
}
