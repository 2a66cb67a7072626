import { isTerminal, type JobRecord } from '../job/job.js';
import { decodeCursor, encodeCursor } from '../store/cursor.js';
import type { JobFilter, JobPage } from '../store/job-store.js';
import { decode } from './codec.js';
import type { RedisClient } from './define-script.js';
import type { RedisKeys } from './keys.js';
import { pageScript } from './scripts/page.lua.js';

/** One index to walk; `offset` is where the job id begins in its members. */
interface Index {
  readonly key: string;
  readonly offset: 1 | 9;
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
  client: RedisClient,
  keys: RedisKeys,
  filter: JobFilter,
  { limit, cursor }: { limit: number; cursor?: string },
  now: number,
): Promise<JobPage> {
  const indexes = await indexesOf(client, keys, filter);
  let at = cursor === undefined ? null : decodeCursor<Position>(cursor, isPosition);
  const jobs: JobRecord[] = [];
  let left = limit;
  let begun = at === null;
  for (const { key, offset } of indexes) {
    begun ||= key === at?.[0];
    if (!begun) continue;
    if (left === 0) return { jobs, cursor: encodeCursor(at ?? [key, '', '']) };
    const [score, member] = at?.[0] === key ? [at[1], at[2]] : ['', ''];
    const entries = await pageScript.run(client, [key, keys.jobs], [left, offset, score, member]);
    for (let n = 0; n < entries.length; n += 3) {
      const [entry, entryScore, text] = entries.slice(n, n + 3) as [string, string, string];
      at = [key, entryScore, entry];
      left--;
      const job = text === '' ? null : decode(entry.slice(offset - 1), text).job;
      if (job && matches(job, filter, now)) jobs.push(job);
    }
    if (left === 0) return { jobs, cursor: at && encodeCursor(at) };
  }
  return { jobs, cursor: null };
}

async function indexesOf(client: RedisClient, keys: RedisKeys, { name, status }: JobFilter): Promise<Index[]> {
  const names = name === undefined ? (await client.smembers(keys.names)).toSorted() : [name];
  const unfinished = names.flatMap((one): Index[] => [
    ...(status === undefined || status === 'Scheduled' ? [{ key: keys.scheduled(one), offset: 9 } as const] : []),
    ...(status === undefined || status === 'Scheduled' || status === 'Queued'
      ? [{ key: keys.ready(one), offset: 9 } as const]
      : []),
    ...(status === undefined || status === 'InProgress' ? [{ key: keys.running(one), offset: 1 } as const] : []),
  ]);
  const finished: Index[] = status === undefined || isTerminal(status) ? [{ key: keys.finished, offset: 1 }] : [];
  return [...unfinished, ...finished];
}

function matches(job: JobRecord, filter: JobFilter, now: number): boolean {
  if (filter.name !== undefined && filter.name !== job.name) return false;
  if (filter.status !== undefined && filter.status !== job.status) return false;
  if (filter.owner !== undefined && filter.owner !== job.owner) return false;
  if (filter.runningForMs === undefined) return true;
  return job.status === 'InProgress' && job.startedAt !== null && now - job.startedAt >= filter.runningForMs;
}
