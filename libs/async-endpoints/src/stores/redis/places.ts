import { ID_AT } from './codec.js';
import { readNames, type RedisKeys } from './keys.js';
import type { RedisClient } from './scripts/define-script.js';

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
  }
  await list(keys.completed, false);
  await set(keys.finished, 0);
  return places;
}
