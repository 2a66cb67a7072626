import { AsyncEndpointsError } from './errors.js';
import { PARSED_ID } from './job.js';

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/;
const NIL = '00000000-0000-0000-0000-000000000000';

/**
 * A UUID of version 7 (RFC 9562): ids that are made in sequence are neighbors in a store's indexes. 74 bits are random, so nobody
 * can guess one id from another.
 *
 * @param random a random UUID, which gives those bits
 */
export function newJobId(random: string, now = Date.now()): string {
  if (now !== latest.ms) latest = { ms: now, prefix: prefixOf(now) };
  return latest.prefix + random.slice(15);
}

/** Formatting the time would take most of the time of a new id, and many ids are made in the same millisecond. */
let latest = { ms: NaN, prefix: '' };

function prefixOf(now: number): string {
  const time = now.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7`;
}

/** The id as it is stored, or null when the text is not a UUID or is the nil UUID. */
export function parseJobId(text: string): string | null {
  const id = text.toLowerCase();
  return UUID.test(id) && id !== NIL ? id : null;
}

/** @throws AsyncEndpointsError `INVALID_JOB_ID` when the text is not a UUID */
export function toJobId(text: string): string {
  const id = parseJobId(text);
  if (id === null) throw new AsyncEndpointsError('INVALID_JOB_ID');
  return id;
}

/**
 * Stores check ids, because ids are part of their keys.
 *
 * @throws AsyncEndpointsError `INVALID_JOB_ID` when one is not a lower-case UUID
 */
export function checkJobIds(jobs: readonly { readonly id: string; readonly [PARSED_ID]?: true }[]): void {
  if (!jobs.every((job) => job[PARSED_ID] || UUID.test(job.id))) throw new AsyncEndpointsError('INVALID_JOB_ID');
}
