import type { JobRecord } from '../job/job.js';
import { decode, ID_AT, LETTER_OF } from './codec.js';
import type { RedisClient } from './define-script.js';
import type { RedisKeys } from './keys.js';

/** Something that is not as the layout says, in words. */
export type Deviation = string;

/**
 * Looks at everything, and says what is not in exactly the index that its status says. Slow on purpose (it reads every
 * record); meant for tests and for operators. What changes while it looks may be reported: repeat it before you worry.
 */
export async function auditJobs(client: RedisClient, keys: RedisKeys): Promise<Deviation[]> {
  const names = await client.smembers(keys.names);
  const records = await client.hgetall(keys.jobs);
  const claims = await client.hgetall(keys.claims);
  const leases = await readLeases(client, keys);
  const indexes = await readIndexes(client, keys, names, records);
  const deviations: Deviation[] = [];
  const counts = new Map<string, number>();
  for (const [id, text] of Object.entries(records)) {
    const { job } = decode(id, text, claims[id] ?? '');
    const expected = expectedIndexes(keys, job, text.startsWith('1Q'));
    const found = [...indexes].filter(([, members]) => members.delete(id)).map(([key]) => key);
    if (found.length !== 1 || !expected.includes(found[0] as string)) {
      deviations.push(`Job ${id} is ${job.status}, but in ${found.join(' and ') || 'no index'}`);
    }
    if (job.leaseUntil !== null && !leases.get(job.leaseUntil)?.has(id)) {
      deviations.push(`Job ${id} is in progress, but ${keys.leases} does not name it at the end of its lease`);
    }
    const counter = `${LETTER_OF[job.status]}:${job.name}`;
    counts.set(counter, (counts.get(counter) ?? 0) + 1);
  }
  for (const [key, members] of indexes) {
    for (const id of members) deviations.push(`${key} names job ${id}, which is gone or belongs elsewhere`);
  }
  for (const id of Object.keys(claims))
    if (!records[id]) deviations.push(`${keys.claims} holds job ${id}, which is gone`);
  return [...deviations, ...(await countDeviations(client, keys, counts))];
}

async function readLeases(client: RedisClient, keys: RedisKeys): Promise<Map<number, Set<string>>> {
  const leases = new Map<number, Set<string>>();
  const entries = await client.zrange(keys.leases, '0', '-1', 'WITHSCORES');
  for (let at = 0; at < entries.length; at += 2) {
    const until = Number(entries[at + 1]);
    const ids = (entries[at] as string).split(' ');
    leases.set(until, new Set([...(leases.get(until) ?? []), ...ids]));
  }
  return leases;
}

async function readIndexes(
  client: RedisClient,
  keys: RedisKeys,
  names: string[],
  records: Record<string, string>,
): Promise<Map<string, Set<string>>> {
  const ids = (members: string[]) => new Set(members.map((member) => member.slice(ID_AT)));
  const isWaited = (member: string) => records[member.slice(ID_AT)]?.startsWith(`1Q${member.slice(0, ID_AT)}`);
  const indexes = new Map<string, Set<string>>();
  for (const name of names) {
    // What is worth nothing may stand in a line until a claim comes to it.
    indexes.set(keys.line(name), ids((await client.lrange(keys.line(name), 0, -1)).filter(isWaited)));
    for (const key of [keys.ready(name), keys.scheduled(name)])
      indexes.set(key, ids(await client.zrange(key, '0', '-1')));
    indexes.set(keys.running(name), new Set(await client.zrange(keys.running(name), '0', '-1')));
  }
  indexes.set(keys.completed, ids(await client.lrange(keys.completed, 0, -1)));
  indexes.set(keys.finished, new Set(await client.zrange(keys.finished, '0', '-1')));
  return indexes;
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
