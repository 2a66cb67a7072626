import type { JobRecord } from '../../job/job.js';
import { decodeCursor, encodeCursor, matches } from '../../store/listing.js';
import type { JobFilter, JobPage } from '../../store/job-store.js';
import { readNames } from './keys.js';
import { after, LATEST, type Listed, ListSource, type Position } from './list-source.js';
import type { RedisPartition } from './partition.js';

/** The most jobs that are read for a page, and in one step of a filter by owner and error code. */
const LOOKED_AT = 1_000;
const LOOKED_AT_ONCE = 100;
/** The number of names of one script, so that Redis can serve other clients in between. */
const NAMES_AT_ONCE = 50;
/** The numbers begin again at 0 after this many. */
const NUMBERS = 2 ** 32;
/** Before all jobs of the same time, and after all of them. */
const [FIRST, LAST] = ['z', ''];

/**
 * The place of a cursor: the time of the last job, its partition and text (see `list.lua.ts`), and for each partition a number of
 * submission and one of completion. At the same time, the jobs of the first partition come first.
 */
type Place = readonly [
  kind: 'before',
  at: number,
  rest: readonly [partition: number, text: string, ...numbers: number[]],
];

function isPlace([kind, at, rest]: readonly unknown[]): boolean {
  if (kind !== 'before' || !isCount(at) || !Array.isArray(rest)) return false;
  const [partition, text, ...numbers] = rest as unknown[];
  return isCount(partition) && typeof text === 'string' && /^[ -~]{0,64}$/.test(text) && numbers.every(isCount);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= LATEST;
}

/** Lists jobs, newest first: the job that came last into its status is the first. Merges the names of all partitions. */
export async function listPartitions(
  all: readonly RedisPartition[],
  filter: JobFilter,
  { limit, cursor }: { limit: number; cursor?: string },
): Promise<JobPage> {
  const { runningForMs } = filter;
  const now = runningForMs === undefined ? LATEST : await (all[0] as RedisPartition).now();
  const positions = cursor === undefined ? await Promise.all(all.map(newestOf)) : positionsOf(cursor, all.length);
  const sources = await sourcesOf(all, filter, positions, now - (runningForMs ?? 0));
  const jobs: JobRecord[] = [];
  let last: ListSource | undefined;
  const next = () => (last ? cursorOf(positions, last.number) : (cursor ?? null));
  for (let looked = 0; ; looked++) {
    await fill(sources, filter, limit + 1 - jobs.length);
    const newest = newestSource(sources);
    const isUnknown = sources.some(hasMore);
    if (!newest && !isUnknown) return { jobs, cursor: null };
    if (!newest || isUnknown || jobs.length === limit || looked === LOOKED_AT) return { jobs, cursor: next() };
    const listed = newest.found.shift() as Listed;
    positions[newest.number] = after(positions[newest.number] as Position, listed);
    last = newest;
    const job = newest.partition.place.unreadable.read(listed.id, listed.text, listed.claim);
    if (job && matches(job, filter, now)) jobs.push(job);
  }
}

/** The position before all jobs of a partition. */
async function newestOf({ client, keys }: RedisPartition): Promise<Position> {
  const numbers = await client.hmget(keys.counters, 'seq', 'completed');
  const [line, completed] = numbers.map((last) => (Number(last ?? 0) + 1) % NUMBERS) as [number, number];
  return { at: LATEST, rest: FIRST, line, completed };
}

function cursorOf(positions: readonly Position[], partition: number): string {
  const { at, rest } = positions[partition] as Position;
  const numbers = positions.flatMap(({ line, completed }) => [line, completed]);
  return encodeCursor(['before', at, [partition, rest, ...numbers]]);
}

/** @throws AsyncEndpointsError `INVALID_OPTION` */
function positionsOf(cursor: string, partitions: number): Position[] {
  const isOfThese = (place: readonly unknown[]) => isPlace(place) && (place as Place)[2].length === 2 + 2 * partitions;
  const [, at, [partition, text, ...numbers]] = decodeCursor<Place>(cursor, isOfThese);
  return Array.from({ length: partitions }, (_, number) => {
    const rest = number === partition ? text : number < partition ? LAST : FIRST;
    return { at, rest, line: numbers[2 * number] as number, completed: numbers[2 * number + 1] as number };
  });
}

/** @param latest the latest time of a job */
async function sourcesOf(
  all: readonly RedisPartition[],
  filter: JobFilter,
  positions: readonly Position[],
  latest: number,
): Promise<ListSource[]> {
  const sources = all.map(async (partition, number) => {
    const position = positions[number] as Position;
    const from = position.at > latest ? { ...position, at: latest, rest: FIRST } : position;
    const names = filter.name === undefined ? await readNames(partition.client, partition.keys) : [filter.name];
    return inParts(names).map((some) => new ListSource(partition, number, some, filter, from));
  });
  return (await Promise.all(sources)).flat();
}

function inParts(names: readonly string[]): (readonly string[])[] {
  const parts = Array.from({ length: Math.ceil(names.length / NAMES_AT_ONCE) }, (_, part) => part * NAMES_AT_ONCE);
  return parts.map((from) => names.slice(from, from + NAMES_AT_ONCE));
}

async function fill(sources: readonly ListSource[], filter: JobFilter, wanted: number): Promise<void> {
  const empty = sources.filter(({ found, isEnded, isFull }) => found.length === 0 && !isEnded && !isFull);
  if (empty.length === 0) return;
  const isWalk = filter.owner !== undefined && filter.errorCode !== undefined;
  // Twice an equal share, because a source that ends first must be read again.
  const each = Math.max(Math.min(2 * Math.ceil(wanted / sources.length), wanted), isWalk ? LOOKED_AT_ONCE : 1);
  await Promise.all(empty.map((source) => source.read(each)));
}

/** Whether the jobs of a source that come next are unknown, because it has read enough for this page. */
function hasMore({ found, isFull }: ListSource): boolean {
  return found.length === 0 && isFull;
}

function newestSource(sources: readonly ListSource[]): ListSource | undefined {
  return sources.reduce<ListSource | undefined>((best, source) => {
    const [a, b] = [source.found[0], best?.found[0]];
    if (!a) return best;
    if (!best || !b || a.at !== b.at) return !b || a.at > b.at ? source : best;
    return source.number === best.number && a.rest > b.rest ? source : best;
  }, undefined);
}
