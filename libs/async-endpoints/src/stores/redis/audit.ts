import type { JobRecord } from '../../job/job.js';
import { decode, ID_AT, LETTER_OF } from './codec.js';
import type { RedisKeys } from './keys.js';
import { listedEntries, type Place, readListed, readPlaces } from './places.js';
import type { RedisClient } from './scripts/define-script.js';
import { encodeText } from './text.js';

/** The description of a deviation from the layout. */
export type Deviation = string;

/** The number of entries per read, so that Redis can serve other clients in between. */
const AT_ONCE = 1_000;

/**
 * Checks every job of a partition. Reports jobs that are not in exactly the index of their status, and index entries without a
 * job. It is slow, because it reads every record; it is meant for tests and operators. It may report jobs that change during the
 * audit, so repeat it before you act.
 */
export async function auditJobs(client: RedisClient, keys: RedisKeys): Promise<Audited> {
  const around = await readAround(client, keys);
  const deviations: Deviation[] = [];
  const broken = new Map<string, Broken>();
  const counts = new Counts();
  for await (const records of entriesOf(client, keys.jobs)) {
    for (const [id, text] of records) {
      const job = read(id, text, around.claims.get(id) ?? '');
      const found = job ? jobDeviations(keys, job, text, around) : [`Job ${id} cannot be read`];
      if (found.length > 0)
        broken.set(id, { name: (job ?? read(id, text, ''))?.name ?? null, places: around.places.get(id) ?? [] });
      deviations.push(...found, ...(job ? listingOf(keys, job, text, around) : []));
      around.places.delete(id);
      around.listed.delete(id);
      around.claims.delete(id);
      if (!job) continue;
      counts.add(job, text);
    }
  }
  for (const [id, places] of around.places) {
    const orphans = places.filter(({ isLine }) => !isLine);
    deviations.push(...orphans.map(({ key }) => `${key} contains job ${id}, which does not exist`));
    if (orphans.length > 0) broken.set(id, { name: null, places });
  }
  for (const id of around.claims.keys()) {
    deviations.push(`${keys.claims} contains job ${id}, which does not exist`);
    broken.set(id, { name: null, places: around.places.get(id) ?? [] });
  }
  for (const id of around.listed.keys()) deviations.push(`${keys.listed} contains job ${id}, which does not exist`);
  const wrong = await wrongCounters(client, keys, counts);
  return { deviations: [...deviations, ...wrong.map(inWords)], broken, wrong };
}

/** The result of an audit. */
export interface Audited {
  readonly deviations: readonly Deviation[];
  /** By id: the jobs in the wrong index, and the index entries without a job. */
  readonly broken: ReadonlyMap<string, Broken>;
  readonly wrong: readonly WrongCounter[];
}

interface Broken {
  /** Null when the job name is unknown. */
  readonly name: string | null;
  readonly places: readonly Place[];
}

interface WrongCounter {
  readonly counter: string;
  readonly stored: number;
  /** The difference to the correct value. */
  readonly by: number;
}

/** The correct values of the counters, by name. */
class Counts extends Map<string, number> {
  /** @param text the record of the job */
  add({ name, status }: JobRecord, text: string): void {
    const counter = `${LETTER_OF[status]}:${encodeText(name)}`;
    this.#count(counter, 1);
    if (status !== 'Queued' && status !== 'Scheduled') return;
    const bytes = Buffer.byteLength(text);
    this.#count('waiting', 1);
    this.#count('waitingBytes', bytes);
    this.#count(`bytes:${counter}`, bytes);
  }

  #count(counter: string, by: number): void {
    this.set(counter, (this.get(counter) ?? 0) + by);
  }
}

function inWords({ counter, stored, by }: WrongCounter): Deviation {
  if (counter === 'waiting') return `The counter "waiting" is ${stored}, but ${stored + by} jobs wait`;
  return `The counter "${counter}" is ${stored}; there are ${stored + by}`;
}

/** The data about jobs apart from their records. */
interface Around {
  readonly places: Map<string, Place[]>;
  /** The entries of `listed`, by job id. */
  readonly listed: Map<string, string[]>;
  readonly claims: Map<string, string>;
  /** The ids of jobs, by the end of their lease. */
  readonly leases: Map<number, Set<string>>;
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
  return { claims, leases, places: await readPlaces(client, keys), listed: await readListed(client, keys) };
}

/** The fields and values of a hash, in steps, without repetitions. */
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

/** Null when the text is not a record of format 1. */
function read(id: string, text: string, claim: string): JobRecord | null {
  try {
    const { job } = decode(id, text, claim);
    const numbers = [job.createdAt, job.scheduledAt, job.priority, job.fence, job.version, job.lastUpdatedAt];
    return text.startsWith('1') && LETTER_OF[job.status] && numbers.every(Number.isFinite) ? job : null;
  } catch {
    return null;
  }
}

function jobDeviations(keys: RedisKeys, job: JobRecord, text: string, { places, leases }: Around): Deviation[] {
  const { id, status, leaseUntil } = job;
  const number = text.slice(2, 2 + ID_AT);
  const isInLine = text.startsWith('1Q');
  // A list may contain stale entries until a claim reaches them.
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

function listingOf(keys: RedisKeys, job: JobRecord, text: string, { places, listed }: Around): Deviation[] {
  const isCompleted = job.status === 'Completed' && places.get(job.id)?.[0]?.key !== keys.finished;
  const expected = listedEntries(job, text.slice(2, 2 + ID_AT), text.startsWith('1Q') || isCompleted);
  const found = listed.get(job.id) ?? [];
  const isRight = found.length === expected.length && expected.every((entry) => found.includes(entry));
  return isRight ? [] : [`Job ${job.id} is ${job.status}, but its entries in ${keys.listed} are wrong`];
}

/** The indexes that may hold a job. Exactly one of them must. */
function expectedIndexes(keys: RedisKeys, { status, name }: JobRecord, isInLine: boolean): string[] {
  switch (status) {
    case 'Queued':
      return [isInLine ? keys.line(name) : keys.ready(name)];
    case 'Scheduled': // in `ready` once a claim has found that its `scheduledAt` has come
      return [keys.scheduled(name), keys.ready(name)];
    case 'InProgress':
      return [keys.running(name)];
    case 'Completed':
      return [keys.completed(name), keys.earlierCompleted, keys.finished];
    default:
      return [keys.finished];
  }
}

async function wrongCounters(client: RedisClient, keys: RedisKeys, counts: Counts): Promise<WrongCounter[]> {
  const {
    seq: _seq,
    completed: _completed,
    kept: _kept,
    clock: _clock,
    largest: _largest,
    secret: _secret,
    ...stored
  } = await client.hgetall(keys.counters);
  const actual = new Map([...Object.keys(stored).map((counter) => [counter, 0] as const), ...counts]);
  return [...actual]
    .map(([counter, count]): [string, number, number] => [counter, Number(stored[counter] ?? 0), count])
    .filter(([, is, should]) => is !== should)
    .map(([counter, is, should]) => ({ counter, stored: is, by: should - is }));
}
