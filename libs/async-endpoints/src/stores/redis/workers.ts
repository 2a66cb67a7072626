import type { LiveWorker, WorkerInfo } from '../../store/job-store.js';
import type { RedisPartition } from './partition.js';
import { registerScript } from './scripts/register.lua.js';
import { workersScript } from './scripts/workers.lua.js';

/** @param partition the first partition, which keeps the workers */
export async function register(partition: RedisPartition, worker: WorkerInfo, aliveMs: number): Promise<void> {
  const { client, connections, time } = partition;
  const args = [time(), worker.id, aliveMs, JSON.stringify(worker)];
  await connections.answer(registerScript.run(client, keysOf(partition), args));
}

export async function unregister({ client, connections, keys }: RedisPartition, id: string): Promise<void> {
  await Promise.all([
    connections.answer(client.hdel(keys.workers, id)),
    connections.answer(client.zrem(keys.alive, id)),
  ]);
}

export async function liveWorkers(partition: RedisPartition): Promise<LiveWorker[]> {
  const { client, connections, time } = partition;
  const entries = await connections.answer(workersScript.run(client, keysOf(partition), [time()]));
  const workers = entries.map((entry): LiveWorker => {
    const at = entry.indexOf(',');
    return { ...(JSON.parse(entry.slice(at + 1)) as WorkerInfo), heartbeatAt: Number(entry.slice(0, at)) };
  });
  return workers.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function keysOf({ keys }: RedisPartition): string[] {
  return [...keys.shared, keys.workers, keys.alive];
}
