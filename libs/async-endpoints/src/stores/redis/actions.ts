import type { OperatorAction } from '../../store/job-store.js';
import type { RedisPartition } from './partition.js';
import { reportScript } from './scripts/report.lua.js';

/** The most stored actions. When there are more, the oldest are deleted. */
const MOST = 1_000;
const AT_ONCE = 100;

type Partitions = readonly RedisPartition[];

/** @param partitions all partitions; the first one keeps the actions */
export async function reportAction(partitions: Partitions, action: OperatorAction): Promise<void> {
  const { client, connections, keys } = partitions[0] as RedisPartition;
  await connections.answer(reportScript.run(client, [keys.actions, keys.counters], [MOST, JSON.stringify(action)]));
}

/** Returns and removes the actions, so that one caller gets each action. */
export async function takeActions(partitions: Partitions): Promise<OperatorAction[]> {
  const { client, connections, keys } = partitions[0] as RedisPartition;
  const texts = (await connections.answer(client.lpop(keys.actions, AT_ONCE))) ?? [];
  return texts.map((text) => JSON.parse(text) as OperatorAction);
}
