import type { JobRecord } from '../../job/job.js';
import { type Before, beginningAt, encodeCursor, matches, newestFirst } from '../../store/listing.js';
import type { JobFilter, JobPage } from '../../store/job-store.js';
import { encodeText } from '../sql/text.js';
import type { Statement, Value } from './driver.js';
import type { OpenDatabase } from './open-database.js';
import { type JobRow, recordOf, statusOf } from './rows.js';
import type { Statements } from './statements.js';

/** The number of characters of results after which a page ends. */
const MAX_RESULTS = 4 * 1024 * 1024;
/** The number of index entries per read. */
const STEP = 100;

/** The place of a job in an index. */
interface Place {
  readonly seq: number;
  readonly entered_at: number;
}

/**
 * Lists jobs, newest first: the job that came last into its status is the first. Jobs with the same time are in the reverse order
 * of submission.
 */
export function listJobs(
  { statements }: OpenDatabase,
  filter: JobFilter,
  { limit, cursor }: { limit: number; cursor?: string },
  now: number,
): JobPage {
  let at = beginningAt(cursor);
  const jobs: JobRecord[] = [];
  let characters = 0;
  for (const place of newestFirst(sourcesOf(statements, filter, firstOf(filter, at, now)), isNewer)) {
    if (jobs.length === limit || characters > MAX_RESULTS) {
      return { jobs, cursor: encodeCursor(at) };
    }
    at = ['before', place.entered_at, place.seq];
    const row = statements.findListed.get(place.seq) as JobRow | undefined;
    if (!row) continue;
    const job = recordOf(row);
    if (!matches(job, filter, now)) continue; // another process has changed it since the index was read
    characters += row.result?.length ?? 0;
    jobs.push(job);
  }
  return { jobs, cursor: null };
}

/** Skips jobs that were claimed too recently for `runningForMs`. */
function firstOf({ runningForMs }: JobFilter, from: Before, now: number): Before {
  const latest = now - (runningForMs ?? -Infinity);
  return latest < from[1] ? ['before', latest, Number.MAX_SAFE_INTEGER] : from;
}

function isNewer(a: Place, b: Place): boolean {
  return a.entered_at > b.entered_at || (a.entered_at === b.entered_at && a.seq > b.seq);
}

/** For each name and status with jobs: the places of the jobs that match the filter. */
function sourcesOf(statements: Statements, filter: JobFilter, from: Before): Generator<Place>[] {
  const [statement, by] = indexOf(statements, filter);
  const name = filter.name === undefined ? undefined : encodeText(filter.name);
  const status = filter.runningForMs === undefined ? filter.status : 'InProgress';
  return (statements.tally.all() as Pick<JobRow, 'name' | 'status'>[])
    .filter((one) => (name ?? one.name) === one.name && (status ?? statusOf(one.status)) === statusOf(one.status))
    .map((one) => placesOf(statement, [...by, one.name, one.status], from));
}

/** The statement that reads the index of the filter, and the first of its values. */
function indexOf(statements: Statements, { owner, errorCode }: JobFilter): [Statement, Value[]] {
  const owned = owner === undefined ? [] : [encodeText(owner)];
  if (errorCode === undefined) return [owner === undefined ? statements.list : statements.listOwned, owned];
  const statement = owner === undefined ? statements.listFailing : statements.listOwnedFailing;
  return [statement, [...owned, JSON.stringify(errorCode)]];
}

function* placesOf(statement: Statement, which: Value[], [, from, before]: Before): Generator<Place> {
  let [at, seq] = [from, before];
  for (let size = 1; ; size = STEP) {
    const places = statement.all(...which, at, seq, size) as Place[];
    yield* places;
    const last = places.at(-1);
    if (!last || places.length < size) return;
    ({ entered_at: at, seq } = last);
  }
}
