import { Cluster, type Redis } from 'ioredis';
import { isWaiting, type JobStatus } from '../../job/job.js';
import type { QueueStats, StoreResources, Usage } from '../../store/job-store.js';
import { pausedAndEmpty } from '../../store/queue-stats.js';
import { LETTER_OF } from './codec.js';
import { readNames } from './keys.js';
import type { RedisPartition } from './partition.js';
import type { RedisClient } from './scripts/define-script.js';
import { agesScript } from './scripts/queue-times.lua.js';
import { decodeText, encodeText } from './text.js';

/** Reads the counters and the ends of the indexes, so the cost depends on the number of names, not of jobs. */
export async function redisStats({ client, keys, time }: RedisPartition): Promise<QueueStats[]> {
  const names = await readNames(client, keys);
  const counters = await client.hgetall(keys.counters);
  const paused = new Set(Object.keys(await client.hgetall(keys.paused)).map(decodeText));
  const queues = names.flatMap((name) => keys.queue(name));
  const [now, ...ages] = await agesScript.run(client, [...keys.shared, ...queues], [time()]);
  const since = (at: string | undefined) => (at ? Math.max(Number(now) - Number(at), 0) : 0);
  const stats = names.flatMap((name, index) =>
    (Object.entries(LETTER_OF) as [JobStatus, string][]).flatMap(([status, letter]): QueueStats[] => {
      const count = Number(counters[`${letter}:${encodeText(name)}`] ?? 0);
      if (count === 0) return [];
      const waiting = isWaiting(status);
      const bytes = waiting ? Math.max(Number(counters[`bytes:${letter}:${encodeText(name)}`] ?? 0), 0) : null;
      const age = status === 'InProgress' ? since(ages[2 * index + 1]) : waiting ? since(ages[2 * index]) : null;
      return [{ name, status, count, bytes, oldestAgeMs: age, isPaused: paused.has(name) }];
    }),
  );
  const queued = new Set(stats.filter(({ status }) => status === 'Queued').map(({ name }) => name));
  return [...stats, ...[...paused].filter((name) => !queued.has(name)).map(pausedAndEmpty)];
}

/** Adds up the statistics of the partitions by name and status. */
export function addUp(parts: readonly QueueStats[]): QueueStats[] {
  const sums = new Map<string, QueueStats>();
  for (const part of parts) {
    const key = `${part.status} ${part.name}`;
    const sum = sums.get(key);
    const oldestAgeMs = part.oldestAgeMs === null ? null : Math.max(part.oldestAgeMs, sum?.oldestAgeMs ?? 0);
    const bytes = part.bytes === null ? null : part.bytes + (sum?.bytes ?? 0);
    sums.set(key, { ...part, count: part.count + (sum?.count ?? 0), bytes, oldestAgeMs });
  }
  return [...sums.values()];
}

/** Of several servers, the fullest one, because that one refuses first. A managed service may have another `INFO`. */
export async function redisResources(client: RedisClient): Promise<StoreResources> {
  const servers = client instanceof Cluster ? client.nodes('master') : [client];
  const read = async (section: string, used: string, limit: string) => {
    const texts = await Promise.all(servers.map((server: Redis) => server.info(section)));
    return fullest(texts.flatMap((text) => usageIn(text, used, limit) ?? []));
  };
  return {
    memory: await read('memory', 'used_memory', 'maxmemory'),
    connections: await read('clients', 'connected_clients', 'maxclients'),
  };
}

function usageIn(text: string, used: string, limit: string): Usage | null {
  const fields = new Map(text.split('\r\n').map((line) => line.split(':') as [string, string]));
  const valueOf = (field: string) => Number(fields.get(field));
  return Number.isNaN(valueOf(used)) ? null : { used: valueOf(used), limit: valueOf(limit) || null };
}

/** Servers without a limit are compared by what they use. */
function fullest(all: readonly Usage[]): Usage | undefined {
  const fill = ({ used, limit }: Usage) => used / (limit ?? Number.MAX_SAFE_INTEGER);
  return all.toSorted((a, b) => fill(b) - fill(a))[0];
}
