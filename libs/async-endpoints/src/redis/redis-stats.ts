import type { JobStatus } from '../job/job.js';
import type { QueueStats } from '../store/job-store.js';
import { LETTER_OF } from './codec.js';
import type { RedisKeys } from './keys.js';
import type { RedisConnections } from './redis-connections.js';
import { agesScript } from './scripts/look.lua.js';

/** From the counters and the ends of the indexes: the cost grows with the number of names, not of jobs. */
export async function redisStats(
  { commands: client, announce }: RedisConnections,
  keys: RedisKeys,
  time: string,
): Promise<QueueStats[]> {
  const names = (await client.smembers(keys.names)).toSorted();
  const counters = await client.hgetall(keys.counters);
  const queues = names.flatMap((name) => keys.queue(name));
  const [now, ...ages] = await agesScript.run(client, [...keys.shared, ...queues], [time, announce]);
  const since = (at: string | undefined) => (at ? Math.max(Number(now) - Number(at), 0) : 0);
  return names.flatMap((name, index) =>
    (Object.entries(LETTER_OF) as [JobStatus, string][]).flatMap(([status, letter]): QueueStats[] => {
      const count = Number(counters[`${letter}:${name}`] ?? 0);
      if (count === 0) return [];
      const waiting = status === 'Queued' || status === 'Scheduled';
      const age = status === 'InProgress' ? since(ages[2 * index + 1]) : waiting ? since(ages[2 * index]) : null;
      return [{ name, status, count, oldestAgeMs: age }];
    }),
  );
}
