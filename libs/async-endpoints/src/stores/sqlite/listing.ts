import type { JobRecord } from '../../job/job.js';
import { type Before, decodeCursor, encodeCursor, isBefore } from '../../store/cursor.js';
import type { JobFilter, JobPage } from '../../store/job-store.js';
import { newestFirst } from '../../store/newest-first.js';
import { matches } from '../../store/verbs.js';
import { encodeText } from '../sql/text.js';
import type { Statement, Value } from './driver.js';
import type { OpenDatabase } from './open-database.js';
import { type JobRow, recordOf, statusOf } from './rows.js';
import type { Statements } from './statements.js';

/** The most jobs that are read for a page, and the number of characters of results after which a page ends. */
const LOOKED_AT = 1_000;
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
  let at = cursor === undefined ? FROM_THE_NEWEST : decodeCursor<Before>(cursor, isBefore);
  const jobs: JobRecord[] = [];
  let looked = 0;
  let characters = 0;
  for (const place of newestFirst(sourcesOf(statements, filter, firstOf(filter, at, now)), isNewer)) {
    if (jobs.length === limit || looked++ === LOOKED_AT || characters > MAX_RESULTS) {
      return { jobs, cursor: encodeCursor(at) };
    }
    at = ['before', place.entered_at, place.seq];
    const row = statements.findListed.get(place.seq) as JobRow | undefined;
    if (!row) continue;
    characters += row.result?.length ?? 0;
    const job = recordOf(row);
    if (matches(job, filter, now)) jobs.push(job);
  }
  return { jobs, cursor: null };
}

const FROM_THE_NEWEST: Before = ['before', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];

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
  const { owner, errorCode } = filter;
  const name = filter.name === undefined ? undefined : encodeText(filter.name);
  const status = filter.runningForMs === undefined ? filter.status : 'InProgress';
  const places = (...which: Value[]) => {
    if (owner !== undefined) return placesOf(statements.listOwned, [encodeText(owner), ...which], from);
    if (errorCode !== undefined) return placesOf(statements.listFailing, [JSON.stringify(errorCode), ...which], from);
    return placesOf(statements.list, which, from);
  };
  return (statements.tally.all() as Pick<JobRow, 'name' | 'status'>[])
    .filter((one) => (name ?? one.name) === one.name && (status ?? statusOf(one.status)) === statusOf(one.status))
    .map((one) => places(one.name, one.status));
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
