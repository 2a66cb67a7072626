import { Cluster, type Redis } from 'ioredis';
import type { StoreMemory } from '../store/job-store.js';
import type { RedisClient } from './define-script.js';

/**
 * Of the fullest server: it refuses submissions however empty the others are. Null where no server says, as of a service that
 * answers `INFO` in its own words.
 */
export async function redisMemory(client: RedisClient): Promise<StoreMemory | null> {
  const servers = client instanceof Cluster ? client.nodes('master') : [client];
  const all = await Promise.all(servers.map(memoryOf));
  const known = all.filter((memory) => memory !== null);
  return known.reduce<StoreMemory | null>((most, memory) => (most && fill(most) > fill(memory) ? most : memory), null);
}

async function memoryOf(server: Redis): Promise<StoreMemory | null> {
  const text = await server.info('memory');
  const used = /^used_memory:(\d+)/m.exec(text)?.[1];
  const limit = Number(/^maxmemory:(\d+)/m.exec(text)?.[1]);
  return used === undefined ? null : { usedBytes: Number(used), limitBytes: limit || null };
}

/** Without a limit none is full, and more is more. */
function fill({ usedBytes, limitBytes }: StoreMemory): number {
  return usedBytes / (limitBytes ?? Number.MAX_SAFE_INTEGER);
}
