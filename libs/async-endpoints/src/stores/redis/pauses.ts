import type { PausedQueue } from '../../store/job-store.js';
import type { RedisPartition } from './partition.js';
import { pauseScript } from './scripts/pause.lua.js';
import { resumeScript } from './scripts/resume.lua.js';
import { decodeText } from './text.js';

type Partitions = readonly RedisPartition[];

/** Each partition keeps which names are paused: a claim asks one partition alone. */
export async function pause(partitions: Partitions, names: readonly string[], by: string | null): Promise<void> {
  await Promise.all(
    partitions.map((partition) => {
      const { client, connections, time } = partition;
      const args = [time(), JSON.stringify(by)];
      return connections.answer(pauseScript.run(client, partition.keysOf(names), args));
    }),
  );
}

export async function resume(partitions: Partitions, names: readonly string[]): Promise<void> {
  await Promise.all(
    partitions.map(async (partition) => {
      const { client, connections, time, tokens } = partition;
      await connections.answer(resumeScript.run(client, partition.keysOf(names), [time()]));
      tokens.put(names);
    }),
  );
}

/** What is paused in one partition is paused: the others may be about to be. */
export async function paused(partitions: Partitions): Promise<PausedQueue[]> {
  const parts = await Promise.all(
    partitions.map(({ client, connections, keys }) => connections.answer(client.hgetall(keys.paused))),
  );
  const byName = new Map<string, PausedQueue>();
  for (const [field, text] of parts.flatMap((part) => Object.entries(part))) {
    const [pausedAt, ...by] = text.split(',');
    const [name, pausedBy] = [decodeText(field), JSON.parse(by.join(',')) as string | null];
    if (!byName.has(name)) byName.set(name, { name, pausedAt: Number(pausedAt), pausedBy });
  }
  return [...byName.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
