import { outcomesOf, repliesOf } from '../../store/parts.js';

/** The most jobs that one task changes: about 1 ms of work. `Transactions` frees the event loop between tasks. */
const MOST_AT_ONCE = 64;

/**
 * Works on a batch in parts.
 *
 * @throws PartialBatchError when only some parts fail
 */
export async function eachPart<T, TReply>(
  items: readonly T[],
  work: (part: readonly T[]) => Promise<TReply[]>,
): Promise<TReply[]> {
  const parts = Array.from({ length: Math.ceil(items.length / MOST_AT_ONCE) }, (_, part) =>
    items.slice(part * MOST_AT_ONCE, (part + 1) * MOST_AT_ONCE),
  );
  const outcomes = await Promise.all(parts.map((part) => outcomesOf(work(part), part.length)));
  return repliesOf(outcomes.flat());
}

/** Takes some at a time, until there are fewer or the limit is reached. After an error, returns what it has taken so far. */
export async function takeParts<T>(limit: number, take: (limit: number) => Promise<T[]>): Promise<T[]> {
  const taken: T[] = [];
  for (;;) {
    const some = await take(Math.min(limit - taken.length, MOST_AT_ONCE)).catch((error: unknown) => {
      if (taken.length === 0) throw error;
      return [];
    });
    taken.push(...some);
    if (some.length < MOST_AT_ONCE || taken.length >= limit) return taken;
  }
}
