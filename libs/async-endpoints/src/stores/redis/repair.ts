import { Cluster } from 'ioredis';
import { type Audited, auditJobs, type Deviation } from './audit.js';
import { readNames, type RedisKeys } from './keys.js';
import type { RedisPartition } from './partition.js';
import { Relisting } from './relisting.js';
import type { RedisClient } from './scripts/define-script.js';
import { repairScript } from './scripts/repair.lua.js';

/** The number of passes, because jobs change during a repair. */
const PASSES = 3;

/** Audits all partitions and the keys of no partition. With `repair`, repairs the deviations. */
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
 * Puts the jobs of a partition into the index of their status, deletes records that cannot be read and entries without a job, and
 * corrects counters by their difference. Each job is one atomic step. Correct jobs are not touched.
 */
async function repairJobs(partition: RedisPartition): Promise<void> {
  const { client, connections, keys } = partition;
  for (let pass = 0; pass < PASSES; pass++) {
    const audited = await connections.answer(auditJobs(client, keys), Infinity);
    if (audited.deviations.length === 0) return;
    await repairPlaces(partition, audited);
    await new Relisting(partition).complete();
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

const KEYS_AT_ONCE = 1_000;

/**
 * Finds keys that nothing uses: of an unknown name, of a partition that does not exist, or of an unknown kind. Also finds keys
 * without the expiry that they should have.
 */
export async function auditKeys(client: RedisClient, prefix: string, all: readonly RedisKeys[]): Promise<Deviation[]> {
  const deviations: Deviation[] = [];
  const known = await knownKeys(client, all);
  const passing = all.flatMap((keys) => keys.passing);
  const start = `{${prefix}:`;
  for await (const found of keysOf(client, start)) {
    // Another application may have a prefix that begins with the prefix of this store.
    const others = found.filter((key) => /^\d+}:/.test(key.slice(start.length)) && !known.has(key));
    const expiring = others.filter((key) => passing.some((beginning) => key.startsWith(beginning)));
    const lasting = await Promise.all(expiring.map(async (key) => (await client.pttl(key)) === -1));
    deviations.push(...expiring.filter((_, n) => lasting[n]).map((key) => `${key} does not expire`));
    const unknown = others.filter((key) => !expiring.includes(key));
    deviations.push(...unknown.map((key) => `${key} belongs to no known name or partition`));
  }
  return deviations;
}

/** The keys that the layout defines. */
async function knownKeys(client: RedisClient, all: readonly RedisKeys[]): Promise<Set<string>> {
  const known = new Set<string>();
  const [first] = all as [RedisKeys];
  for (const key of [first.actions, first.workers, first.alive, first.schedules, first.instants]) known.add(key);
  for (const keys of all) {
    const names = await readNames(client, keys);
    // Workers wait for tokens in the first partition only.
    for (const key of [
      ...keys.shared,
      keys.names,
      keys.earlierCompleted,
      ...names.flatMap((name) => [...keys.queue(name), first.wake(name)]),
    ])
      known.add(key);
  }
  return known;
}

/** Every key with this beginning, on all nodes, without the key prefix of the client. */
async function* keysOf(client: RedisClient, start: string): AsyncGenerator<string[]> {
  const own = client.options.keyPrefix ?? '';
  const pattern = `${(own + start).replaceAll(/[*?[\]\\]/g, '\\$&')}*`;
  for (const node of client instanceof Cluster ? client.nodes('master') : [client]) {
    for (let cursor: string | undefined; cursor !== '0';) {
      const [next, keys] = await node.scan(cursor ?? '0', 'MATCH', pattern, 'COUNT', KEYS_AT_ONCE);
      yield keys.map((key) => key.slice(own.length));
      cursor = next;
    }
  }
}
