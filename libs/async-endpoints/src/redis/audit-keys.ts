import { Cluster } from 'ioredis';
import type { Deviation } from './audit.js';
import type { RedisClient } from './define-script.js';
import { readNames, type RedisKeys } from './keys.js';

const AT_ONCE = 1_000;

/**
 * Says which keys there are that nothing would ever look at again: of a name that is not known, of a partition that there is
 * not, or of no kind that the layout knows; and which should expire by themselves and do not.
 */
export async function auditKeys(client: RedisClient, prefix: string, all: readonly RedisKeys[]): Promise<Deviation[]> {
  const deviations: Deviation[] = [];
  const known = await knownKeys(client, all);
  const passing = all.flatMap((keys) => keys.passing);
  const start = `{${prefix}:`;
  for await (const found of keysOf(client, start)) {
    // Another application may have a prefix that begins with ours.
    const others = found.filter((key) => /^\d+}:/.test(key.slice(start.length)) && !known.has(key));
    const expiring = others.filter((key) => passing.some((beginning) => key.startsWith(beginning)));
    const lasting = await Promise.all(expiring.map(async (key) => (await client.pttl(key)) === -1));
    deviations.push(...expiring.filter((_, n) => lasting[n]).map((key) => `${key} does not expire`));
    const unknown = others.filter((key) => !expiring.includes(key));
    deviations.push(...unknown.map((key) => `${key} belongs to no known name or partition`));
  }
  return deviations;
}

/** Those that may stay. */
async function knownKeys(client: RedisClient, all: readonly RedisKeys[]): Promise<Set<string>> {
  const known = new Set<string>();
  const [first] = all as [RedisKeys];
  known.add(first.actions);
  for (const keys of all) {
    const names = await readNames(client, keys);
    // What happens in any partition is told in the first.
    for (const key of [...keys.shared, keys.names, ...names.flatMap((name) => [...keys.queue(name), first.wake(name)])])
      known.add(key);
  }
  return known;
}

/** Every key that begins so, on whichever node, without what the client itself puts before all keys. */
async function* keysOf(client: RedisClient, start: string): AsyncGenerator<string[]> {
  const own = client.options.keyPrefix ?? '';
  const pattern = `${(own + start).replaceAll(/[*?[\]\\]/g, '\\$&')}*`;
  for (const node of client instanceof Cluster ? client.nodes('master') : [client]) {
    for (let cursor: string | undefined; cursor !== '0';) {
      const [next, keys] = await node.scan(cursor ?? '0', 'MATCH', pattern, 'COUNT', AT_ONCE);
      yield keys.map((key) => key.slice(own.length));
      cursor = next;
    }
  }
}
