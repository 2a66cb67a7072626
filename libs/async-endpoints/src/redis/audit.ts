import type { JobStatus } from '../job/job.js';
import { decode, LETTER_OF } from './codec.js';
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
  const indexes = await readIndexes(client, keys, names);
  const deviations: Deviation[] = [];
  const counts = new Map<string, number>();
  for (const [id, text] of Object.entries(await client.hgetall(keys.jobs))) {
    const { job } = decode(id, text);
    const expected = expectedIndexes(keys, job.status, job.name);
    const found = [...indexes].filter(([, members]) => members.delete(id)).map(([key]) => key);
    if (found.length !== expected.needed || !found.every((key) => expected.keys.includes(key))) {
      deviations.push(`Job ${id} is ${job.status}, but in ${found.join(' and ') || 'no index'}`);
    }
    const counter = `${LETTER_OF[job.status]}:${job.name}`;
    counts.set(counter, (counts.get(counter) ?? 0) + 1);
  }
  for (const [key, members] of indexes) {
    for (const id of members) deviations.push(`${key} names job ${id}, which is gone or belongs elsewhere`);
  }
  return [...deviations, ...(await countDeviations(client, keys, counts))];
}

async function readIndexes(client: RedisClient, keys: RedisKeys, names: string[]): Promise<Map<string, Set<string>>> {
  const byMember = names.flatMap((name) => [keys.ready(name), keys.scheduled(name)]);
  const byId = [...names.map((name) => keys.running(name)), keys.leases, keys.finished];
  const indexes = new Map<string, Set<string>>();
  for (const key of byMember) {
    indexes.set(key, new Set((await client.zrange(key, '0', '-1')).map((member) => member.slice(8))));
  }
  for (const key of byId) indexes.set(key, new Set(await client.zrange(key, '0', '-1')));
  return indexes;
}

/** Which indexes may hold a job, and how many of them must. */
function expectedIndexes(keys: RedisKeys, status: JobStatus, name: string): { keys: string[]; needed: number } {
  switch (status) {
    case 'Queued':
      return { keys: [keys.ready(name)], needed: 1 };
    case 'Scheduled': // in `ready` from when a claim found it due
      return { keys: [keys.scheduled(name), keys.ready(name)], needed: 1 };
    case 'InProgress':
      return { keys: [keys.leases, keys.running(name)], needed: 2 };
    default:
      return { keys: [keys.finished], needed: 1 };
  }
}

async function countDeviations(
  client: RedisClient,
  keys: RedisKeys,
  counts: Map<string, number>,
): Promise<Deviation[]> {
  const { seq: _seq, waiting = '0', ...stored } = await client.hgetall(keys.counters);
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
