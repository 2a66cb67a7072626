import type { JobRecord, JobStatus } from '../../job/job.js';
import { decodeCursor, encodeCursor } from '../../store/cursor.js';
import type { JobFilter, JobPage } from '../../store/job-store.js';
import { matches } from '../../store/verbs.js';
import { ID_AT } from './codec.js';
import { readNames, type RedisKeys } from './keys.js';
import type { RedisPartition } from './partition.js';
import type { RedisClient, Script } from './scripts/define-script.js';
import { type Page, pageOfListScript, pageOfSetScript } from './scripts/page.lua.js';

/** An index to read. */
interface Index {
  readonly key: string;
  readonly page: Script<Page>;
  /** The offset of the job id in an entry, from 0. */
  readonly idAt: number;
}

type Position = readonly [key: string, score: string, member: string];

function isPosition([key, score, member]: readonly unknown[]): boolean {
  return typeof key === 'string' && typeof score === 'string' && isScore(score) && typeof member === 'string';
}

/** Whether the text is a score of Redis, or the empty text of an index that was not read yet. */
function isScore(text: string): boolean {
  return /^[-+.e\d]*$/.test(text) && Number.isFinite(Number(text));
}

/** Lists one partition after the other. The cursor contains the partition and the position in it. */
export async function listPartitions(
  all: readonly RedisPartition[],
  filter: JobFilter,
  { limit, cursor }: { limit: number; cursor?: string },
): Promise<JobPage> {
  const [, number, within] = cursor === undefined ? [null, 0, null] : decodeCursor<Partition>(cursor, isPartition);
  const partition = all[number];
  if (!partition) return { jobs: [], cursor: null };
  const page = await listJobs(partition, filter, { limit, cursor: within ?? undefined });
  if (page.cursor !== null) return { jobs: page.jobs, cursor: encodeCursor(['partition', number, page.cursor]) };
  const more = number + 1 < all.length;
  return { jobs: page.jobs, cursor: more ? encodeCursor(['partition', number + 1, null]) : null };
}

type Partition = readonly [kind: 'partition', number: number, within: string | null];

function isPartition([kind, number, within]: readonly unknown[]): boolean {
  const isIndex = Number.isSafeInteger(number) && (number as number) >= 0;
  return kind === 'partition' && isIndex && (within === null || typeof within === 'string');
}

/**
 * Reads the indexes that can hold matching jobs, one after the other, each from its latest entry. It reads at most `limit`
 * entries, and fewer when their records are large. A job that changes meanwhile moves to a later index and is found there.
 */
async function listJobs(
  partition: RedisPartition,
  filter: JobFilter,
  { limit, cursor }: { limit: number; cursor?: string },
): Promise<JobPage> {
  const { client, keys } = partition;
  const now = filter.runningForMs === undefined ? 0 : await partition.now();
  let at = cursor === undefined ? null : decodeCursor<Position>(cursor, isPosition);
  const indexes = await indexesOf(client, keys, filter, at && keys.nameOf(at[0]));
  const jobs: JobRecord[] = [];
  let left = limit;
  let begun = at === null;
  for (const { key, page, idAt } of indexes) {
    begun ||= key === at?.[0];
    if (!begun) continue;
    if (left === 0) return { jobs, cursor: encodeCursor(at ?? [key, '', '']) };
    const [score, member] = at?.[0] === key ? [at[1], at[2]] : ['', ''];
    const [isFull, ...entries] = await page.run(client, [key, keys.jobs, keys.claims], [left, idAt + 1, score, member]);
    for (let n = 0; n < entries.length; n += 4) {
      const [entry, entryScore, text, claim] = entries.slice(n, n + 4) as [string, string, string, string];
      at = [key, entryScore, entry];
      left--;
      const job = partition.place.unreadable.read(entry.slice(idAt), text, claim);
      if (job && matches(job, filter, now)) jobs.push(job);
    }
    if (left === 0 || isFull === 1) return { jobs, cursor: at && encodeCursor(at) };
  }
  return { jobs, cursor: null };
}

/** @param begun the name at which the list continues, which may no longer have jobs */
async function indexesOf(
  client: RedisClient,
  keys: RedisKeys,
  { name, status }: JobFilter,
  begun: string | null | undefined,
): Promise<Index[]> {
  const known = name === undefined ? await readNames(client, keys) : [name];
  const names = name !== undefined || begun == null || known.includes(begun) ? known : [...known, begun].toSorted();
  const wants = (...statuses: JobStatus[]) => status === undefined || statuses.includes(status);
  const unfinished = names.flatMap((one) => [
    ...(wants('Scheduled') ? [set(keys.scheduled(one), ID_AT)] : []),
    ...(wants('Scheduled', 'Queued') ? [set(keys.ready(one), ID_AT)] : []),
    ...(wants('Queued') ? [list(keys.line(one))] : []),
    ...(wants('InProgress') ? [set(keys.running(one), 0)] : []),
  ]);
  return [
    ...unfinished,
    ...(wants('Completed') ? [list(keys.completed)] : []),
    ...(wants('Completed', 'Failed', 'Canceled') ? [set(keys.finished, 0)] : []),
  ];
}

function set(key: string, idAt: number): Index {
  return { key, page: pageOfSetScript, idAt };
}

function list(key: string): Index {
  return { key, page: pageOfListScript, idAt: ID_AT };
}
