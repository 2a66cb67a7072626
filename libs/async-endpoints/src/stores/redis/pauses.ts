import type { PausedQueue } from '../../store/job-store.js';
import type { RedisPartition } from './partition.js';
import { pauseScript } from './scripts/pause.lua.js';
import { resumeScript } from './scripts/resume.lua.js';
import { decodeText } from './text.js';

type Partitions = readonly RedisPartition[];

/** Each partition stores the paused names, because a claim reads one partition only. */
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

/** A name that is paused in one partition counts as paused: the pause of the others may be in flight. */
export async function paused(partitions: Partitions): Promise<PausedQueue[]> {
  const parts = await Promise.all(
    partitions.map(({ client, connections, keys }) => connections.answer(client.hgetall(keys.paused))),
  );
  const byName = new Map<string, PausedQueue>();
  for (const [field, text] of parts.flatMap((part) => Object.entries(part))) {
    const name = decodeText(field);
    if (!byName.has(name)) byName.set(name, { name, ...decodePause(text) });
  }
  return [...byName.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The entry may have been written by hand. The name is shown as paused whatever the entry contains. */
function decodePause(text: string): Omit<PausedQueue, 'name'> {
  const [, pausedAt, by] = /^(\d+),(null|".*")$/s.exec(text) ?? [];
  try {
    return { pausedAt: Number(pausedAt ?? 0), pausedBy: by === undefined ? null : (JSON.parse(by) as string | null) };
  } catch {
    return { pausedAt: Number(pausedAt), pausedBy: null };
  }
}
