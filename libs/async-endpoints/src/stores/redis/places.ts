import type { JobRecord } from '../../job/job.js';
import { encodeOwner, ID_AT, LETTER_OF } from './codec.js';
import { readNames, type RedisKeys } from './keys.js';
import type { RedisClient } from './scripts/define-script.js';
import { encodeText } from './text.js';

/** An index entry of a job. */
export interface Place {
  readonly key: string;
  /** The entry. */
  readonly entry: string;
  /** The number of submission in the entry; null when the entry has none. */
  readonly number: string | null;
  readonly isLine: boolean;
}

/** All index entries, by job id. */
export async function readPlaces(client: RedisClient, keys: RedisKeys): Promise<Map<string, Place[]>> {
  const places = new Map<string, Place[]>();
  const add = (id: string, place: Place) => places.set(id, [...(places.get(id) ?? []), place]);
  const list = async (key: string, isLine: boolean) => {
    for (const member of await client.lrange(key, 0, -1))
      add(member.slice(ID_AT), { key, entry: member, number: isLine ? member.slice(0, ID_AT) : null, isLine });
  };
  const set = async (key: string, idAt: number) => {
    for (const member of await client.zrange(key, '0', '-1'))
      add(member.slice(idAt), { key, entry: member, number: member.slice(0, idAt) || null, isLine: false });
  };
  for (const name of await readNames(client, keys)) {
    await list(keys.line(name), true);
    for (const key of [keys.ready(name), keys.scheduled(name)]) await set(key, ID_AT);
    await set(keys.running(name), 0);
    await list(keys.completed(name), false);
  }
  await list(keys.earlierCompleted, false);
  await set(keys.finished, 0);
  return places;
}

const ID_LENGTH = 36;

/** The entries of `listed`, by job id. */
export async function readListed(client: RedisClient, keys: RedisKeys): Promise<Map<string, string[]>> {
  const listed = new Map<string, string[]>();
  const all = await client.zrange(keys.listed, '0', '-1');
  for (const entry of all) {
    const id = entry.slice(-ID_LENGTH);
    listed.set(id, [...(listed.get(id) ?? []), entry]);
  }
  return listed;
}

/**
 * The entries that a job must have in `listed`, as `listed.lua.ts` describes them.
 *
 * @param number the number of submission
 * @param isInList whether the job is in `line` or `completed`
 */
export function listedEntries(job: JobRecord, number: string, isInList: boolean): string[] {
  const at = job.status === 'InProgress' ? job.startedAt : job.lastUpdatedAt;
  const rest = `\n${encodeText(job.name)}\n${LETTER_OF[job.status]}\n${String(at).padStart(15, '0')}${number}${job.id}`;
  const isNamed = !isInList && job.status !== 'InProgress';
  return [
    ...(isNamed ? [`n${rest}`] : []),
    ...(job.owner === null ? [] : [`o${encodeOwner(job.owner)}${rest}`]),
    ...(job.error === null ? [] : [`e${JSON.stringify(job.error.code)}${rest}`]),
  ];
}
