import type { JobRecord, JobStatus } from '../job/job.js';
import { decodeCursor, encodeCursor } from '../store/cursor.js';
import type { JobFilter, JobPage } from '../store/job-store.js';
import { decode, ID_AT } from './codec.js';
import type { RedisClient, Script } from './define-script.js';
import type { RedisKeys } from './keys.js';
import type { RedisPartition } from './redis-partition.js';
import { pageOfListScript, pageOfSetScript } from './scripts/page.lua.js';

/** One index to walk. */
interface Index {
  readonly key: string;
  readonly page: Script<string[]>;
  /** Where the job id begins in what it holds, from 0. */
  readonly idAt: number;
}

type Position = readonly [key: string, score: string, member: string];

function isPosition([key, score, member]: readonly unknown[]): boolean {
  return typeof key === 'string' && typeof score === 'string' && isScore(score) && typeof member === 'string';
}

/** As Redis writes it, or the empty one of an index that has not been begun. */
function isScore(text: string): boolean {
  return /^[-+.e\d]*$/.test(text) && Number.isFinite(Number(text));
}

/** Walks the indexes that can hold what is asked for, one after the other, looking at no more than `limit` entries. */
export async function listJobs(
  partition: RedisPartition,
  filter: JobFilter,
  { limit, cursor }: { limit: number; cursor?: string },
): Promise<JobPage> {
  const { client, keys } = partition;
  const now = filter.runningForMs === undefined ? 0 : await partition.now();
  const indexes = await indexesOf(client, keys, filter);
  let at = cursor === undefined ? null : decodeCursor<Position>(cursor, isPosition);
  const jobs: JobRecord[] = [];
  let left = limit;
  let begun = at === null;
  for (const { key, page, idAt } of indexes) {
    begun ||= key === at?.[0];
    if (!begun) continue;
    if (left === 0) return { jobs, cursor: encodeCursor(at ?? [key, '', '']) };
    const [score, member] = at?.[0] === key ? [at[1], at[2]] : ['', ''];
    const entries = await page.run(client, [key, keys.jobs, keys.claims], [left, idAt + 1, score, member]);
    for (let n = 0; n < entries.length; n += 4) {
      const [entry, entryScore, text, claim] = entries.slice(n, n + 4) as [string, string, string, string];
      at = [key, entryScore, entry];
      left--;
      const job = text === '' ? null : decode(entry.slice(idAt), text, claim).job;
      if (job && matches(job, filter, now)) jobs.push(job);
    }
    if (left === 0) return { jobs, cursor: at && encodeCursor(at) };
  }
  return { jobs, cursor: null };
}

async function indexesOf(client: RedisClient, keys: RedisKeys, { name, status }: JobFilter): Promise<Index[]> {
  const names = name === undefined ? (await client.smembers(keys.names)).toSorted() : [name];
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

function matches(job: JobRecord, filter: JobFilter, now: number): boolean {
  if (filter.name !== undefined && filter.name !== job.name) return false;
  if (filter.status !== undefined && filter.status !== job.status) return false;
  if (filter.owner !== undefined && filter.owner !== job.owner) return false;
  if (filter.runningForMs === undefined) return true;
  return job.status === 'InProgress' && job.startedAt !== null && now - job.startedAt >= filter.runningForMs;
}
