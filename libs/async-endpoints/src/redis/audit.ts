import type { JobRecord } from '../job/job.js';
import { decode, ID_AT, LETTER_OF } from './codec.js';
import type { RedisClient } from './define-script.js';
import type { RedisKeys } from './keys.js';

/** Something that is not as the layout says, in words. */
export type Deviation = string;

/** So many entries are asked for at a time, so that Redis serves others in between. */
const AT_ONCE = 1_000;

/**
 * Looks at every job of a partition, and says what is not in exactly the index that its status says, and what names jobs that
 * there are not. Slow on purpose (it reads every record); meant for tests and for operators. What changes while it looks may
 * be reported: repeat it before you worry.
 */
export async function auditJobs(client: RedisClient, keys: RedisKeys): Promise<Deviation[]> {
  const around = await readAround(client, keys);
  const deviations: Deviation[] = [];
  const counts = new Map<string, number>();
  for await (const records of entriesOf(client, keys.jobs)) {
    for (const [id, text] of records) {
      const job = read(id, text, around.claims.get(id) ?? '');
      deviations.push(...(job ? jobDeviations(keys, job, text, around) : [`Job ${id} cannot be read`]));
      around.places.delete(id);
      around.claims.delete(id);
      if (!job) continue;
      const counter = `${LETTER_OF[job.status]}:${job.name}`;
      counts.set(counter, (counts.get(counter) ?? 0) + 1);
    }
  }
  for (const [id, places] of around.places) {
    const orphans = places.filter(({ isLine }) => !isLine);
    deviations.push(...orphans.map(({ key }) => `${key} names job ${id}, which is gone`));
  }
  for (const id of around.claims.keys()) deviations.push(`${keys.claims} holds job ${id}, which is gone`);
  return [...deviations, ...(await countDeviations(client, keys, counts))];
}

/** What there is of jobs besides their records. */
interface Around {
  readonly places: Map<string, Place[]>;
  readonly claims: Map<string, string>;
  /** By their ends, the ids of jobs. */
  readonly leases: Map<number, Set<string>>;
}

/** Where an index names a job. */
interface Place {
  readonly key: string;
  /** With which number of submission; null where it says none. */
  readonly number: string | null;
  readonly isLine: boolean;
}

async function readAround(client: RedisClient, keys: RedisKeys): Promise<Around> {
  const claims = new Map<string, string>();
  for await (const some of entriesOf(client, keys.claims)) for (const [id, claim] of some) claims.set(id, claim);
  const leases = new Map<number, Set<string>>();
  const ends = await client.zrange(keys.leases, '0', '-1', 'WITHSCORES');
  for (let at = 0; at < ends.length; at += 2) {
    const until = Number(ends[at + 1]);
    leases.set(until, new Set([...(leases.get(until) ?? []), ...(ends[at] as string).split(' ')]));
  }
  return { claims, leases, places: await readPlaces(client, keys) };
}

async function readPlaces(client: RedisClient, keys: RedisKeys): Promise<Map<string, Place[]>> {
  const places = new Map<string, Place[]>();
  const add = (id: string, place: Place) => places.set(id, [...(places.get(id) ?? []), place]);
  const list = async (key: string, isLine: boolean) => {
    for (const member of await client.lrange(key, 0, -1))
      add(member.slice(ID_AT), { key, number: isLine ? member.slice(0, ID_AT) : null, isLine });
  };
  const set = async (key: string, idAt: number) => {
    for (const member of await client.zrange(key, '0', '-1'))
      add(member.slice(idAt), { key, number: member.slice(0, idAt) || null, isLine: false });
  };
  for (const name of await client.smembers(keys.names)) {
    await list(keys.line(name), true);
    for (const key of [keys.ready(name), keys.scheduled(name)]) await set(key, ID_AT);
    await set(keys.running(name), 0);
  }
  await list(keys.completed, false);
  await set(keys.finished, 0);
  return places;
}

/** The fields of a hash and their values, each once, some at a time. */
async function* entriesOf(client: RedisClient, key: string): AsyncGenerator<[field: string, value: string][]> {
  const seen = new Set<string>();
  for (let cursor: string | undefined; cursor !== '0';) {
    const [next, flat] = await client.hscan(key, cursor ?? '0', 'COUNT', AT_ONCE);
    const entries: [string, string][] = [];
    for (let at = 0; at < flat.length; at += 2) entries.push([flat[at] as string, flat[at + 1] as string]);
    yield entries.filter(([field]) => !seen.has(field));
    for (const [field] of entries) seen.add(field);
    cursor = next;
  }
}

/** Null where it is no record of format 1. */
function read(id: string, text: string, claim: string): JobRecord | null {
  try {
    const { job } = decode(id, text, claim);
    const numbers = [job.createdAt, job.dueAt, job.priority, job.fence, job.version, job.lastUpdatedAt];
    return text.startsWith('1') && LETTER_OF[job.status] && numbers.every(Number.isFinite) ? job : null;
  } catch {
    return null;
  }
}

function jobDeviations(keys: RedisKeys, job: JobRecord, text: string, { places, leases }: Around): Deviation[] {
  const { id, status, leaseUntil } = job;
  const number = text.slice(2, 2 + ID_AT);
  const isInLine = text.startsWith('1Q');
  // What is worth nothing may stand in a line until a claim comes to it.
  const found = (places.get(id) ?? []).filter((place) => !place.isLine || (isInLine && place.number === number));
  const [place] = found;
  const isThere = place && expectedIndexes(keys, job, isInLine).includes(place.key);
  const isLeased = leaseUntil === null || leases.get(leaseUntil)?.has(id);
  return [
    ...(found.length === 1 && isThere && [null, number].includes(place.number)
      ? []
      : [`Job ${id} is ${status}, but in ${found.map(({ key }) => key).join(' and ') || 'no index'}`]),
    ...(isLeased ? [] : [`Job ${id} is in progress, but ${keys.leases} does not name it at the end of its lease`]),
  ];
}

/** Which indexes may hold a job: exactly one of them must. */
function expectedIndexes(keys: RedisKeys, { status, name }: JobRecord, isInLine: boolean): string[] {
  switch (status) {
    case 'Queued':
      return [isInLine ? keys.line(name) : keys.ready(name)];
    case 'Scheduled': // in `ready` from when a claim found it due
      return [keys.scheduled(name), keys.ready(name)];
    case 'InProgress':
      return [keys.running(name)];
    case 'Completed':
      return [keys.completed, keys.finished];
    default:
      return [keys.finished];
  }
}

async function countDeviations(
  client: RedisClient,
  keys: RedisKeys,
  counts: Map<string, number>,
): Promise<Deviation[]> {
  const {
    seq: _seq,
    completed: _completed,
    kept: _kept,
    waiting = '0',
    ...stored
  } = await client.hgetall(keys.counters);
  const waits = [...counts].filter(([counter]) => /^[QS]:/.test(counter)).reduce((sum, [, count]) => sum + count, 0);
  const all = new Set([...Object.keys(stored), ...counts.keys()]);
  const wrong = [...all].filter((counter) => Number(stored[counter] ?? 0) !== (counts.get(counter) ?? 0));
  return [
    ...(Number(waiting) === waits ? [] : [`The counter "waiting" is ${waiting}, but ${waits} jobs wait`]),
    ...wrong.map(
      (counter) => `The counter "${counter}" is ${stored[counter] ?? 0}; there are ${counts.get(counter) ?? 0}`,
    ),
  ];
}
