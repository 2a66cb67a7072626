import { invalid } from '../job/bounds.js';
import type { JobRecord } from '../job/job.js';
import type { JobFilter } from './verbs.js';

/** The position of a listing: an index, and a place in it. */
type Position = readonly [unknown, unknown, unknown];

/**
 * Where the next page begins in a list that is newest first: before this time (or number), and for equal times before the second
 * number.
 */
export type Before = readonly [kind: 'before', at: number, number: number];

export function encodeCursor(position: Position): string {
  return JSON.stringify(position);
}

/** @throws AsyncEndpointsError `INVALID_OPTION` when `list` did not create the cursor: it may come from a client */
export function decodeCursor<T extends Position>(cursor: string, isPlace: (position: Position) => boolean): T {
  try {
    const position = JSON.parse(cursor) as Position | null;
    if (Array.isArray(position) && position.length === 3 && isPlace(position)) return position as unknown as T;
  } catch {
    // not created by encodeCursor
  }
  throw invalid('cursor', cursor, 'one that list gave');
}

/**
 * The place at which a page begins: that of the cursor, or before the newest job.
 *
 * @throws AsyncEndpointsError `INVALID_OPTION` as {@link decodeCursor}
 */
export function beginningAt(cursor: string | undefined): Before {
  if (cursor === undefined) return ['before', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  const isPlace = ([kind, ...numbers]: Position) => kind === 'before' && numbers.every(Number.isSafeInteger);
  return decodeCursor<Before>(cursor, isPlace);
}

/** Whether a job matches the filter at this time of the store's clock. */
export function matches(job: JobRecord, filter: JobFilter, now: number): boolean {
  if (filter.name !== undefined && filter.name !== job.name) return false;
  if (filter.status !== undefined && filter.status !== job.status) return false;
  if (filter.owner !== undefined && filter.owner !== job.owner) return false;
  if (filter.errorCode !== undefined && filter.errorCode !== job.error?.code) return false;
  if (filter.runningForMs === undefined) return true;
  return job.status === 'InProgress' && job.startedAt !== null && now - job.startedAt >= filter.runningForMs;
}

/**
 * Merges sorted sources. It reads from each source only the items that it yields, and one more.
 *
 * @param sources each with its newest item first
 */
export function* newestFirst<T>(sources: readonly Iterator<T>[], isNewer: (a: T, b: T) => boolean): Generator<T> {
  let heads = sources.map((source) => ({ source, next: source.next() }));
  for (;;) {
    heads = heads.filter(({ next }) => !next.done);
    if (heads.length === 0) return;
    const newest = heads.reduce((a, b) => (isNewer(b.next.value as T, a.next.value as T) ? b : a));
    yield newest.next.value as T;
    newest.next = newest.source.next();
  }
}
