import { type Audited, auditJobs, type Deviation } from './audit.js';
import { auditKeys } from './audit-keys.js';
import type { RedisPartition } from './redis-partition.js';
import { repairScript } from './scripts/repair.lua.js';

/** So often, because jobs change meanwhile. */
const PASSES = 3;

/** What is wrong in all partitions, and in keys of none; then, with `repair`, mended. */
export async function auditAll(
  partitions: readonly RedisPartition[],
  { prefix, repair }: { prefix: string; repair: boolean },
): Promise<Deviation[]> {
  const deviations: Deviation[] = [];
  for (const { client, connections, keys } of partitions)
    deviations.push(...(await connections.answer(auditJobs(client, keys), Infinity)).deviations);
  const [{ client, connections }] = partitions as [RedisPartition];
  const all = partitions.map(({ keys }) => keys);
  deviations.push(...(await connections.answer(auditKeys(client, prefix, all), Infinity)));
  if (repair) for (const partition of partitions) await repairJobs(partition);
  return deviations;
}

/**
 * Puts every job of a partition that is not where its record says into its index, drops records that cannot be read and entries
 * that name no job, and sets counters right by as much as they are wrong. Each job is one step; what is in order is not
 * touched.
 */
async function repairJobs(partition: RedisPartition): Promise<void> {
  const { client, connections, keys } = partition;
  for (let pass = 0; pass < PASSES; pass++) {
    const audited = await connections.answer(auditJobs(client, keys), Infinity);
    if (audited.deviations.length === 0) return;
    await repairPlaces(partition, audited);
    if (audited.broken.size === 0) await repairCounters(partition, audited);
  }
}

async function repairPlaces(partition: RedisPartition, { broken }: Audited): Promise<void> {
  for (const [id, { name, places }] of broken) {
    const names = name === null ? [] : [name];
    const extra = [partition.keys.names, ...places.map(({ key }) => key)];
    await partition.run(repairScript, names, [names.length, id, ...places.map(({ entry }) => entry)], extra);
  }
}

async function repairCounters({ client, connections, keys }: RedisPartition, { wrong }: Audited): Promise<void> {
  for (const { counter, by } of wrong) {
    const left = await connections.answer(client.hincrby(keys.counters, counter, by));
    if (left === 0) await connections.answer(client.hdel(keys.counters, counter));
  }
}
