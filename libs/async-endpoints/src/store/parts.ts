import type { Settlement } from '../job/lifecycle.js';
import { PartialBatchError } from './partial-batch-error.js';

/** About what one call to a store carries: 0.4 s at 100 Mbit/s. An item that is larger goes alone. */
const MOST_CHARACTERS = 4 * 1024 * 1024;

/** Whether an item of that size goes alone. */
export function isLarge(size: number): boolean {
  return size > MOST_CHARACTERS;
}

/** The index behind the last item of the part that begins at `from`: its items are small enough to go together. */
export function endOfPart<T>(items: readonly T[], from: number, until: number, sizeOf: (item: T) => number): number {
  let size = sizeOf(items[from] as T);
  for (let at = from + 1; at < until; at++) {
    size += sizeOf(items[at] as T);
    if (size > MOST_CHARACTERS) return at;
  }
  return until;
}

/**
 * Sends items in parts, one after the other, and answers as if they had gone together.
 *
 * @param send may answer fewer than it was given, and at least one: then the rest is sent again
 * @throws PartialBatchError where a part fails after others were answered
 */
export async function inParts<T, TReply>(
  items: readonly T[],
  sizeOf: (item: T) => number,
  send: (part: readonly T[]) => Promise<readonly TReply[]>,
): Promise<TReply[]> {
  const replies: TReply[] = [];
  while (replies.length < items.length) {
    const end = endOfPart(items, replies.length, items.length, sizeOf);
    const isAll = replies.length === 0 && end === items.length;
    try {
      replies.push(...(await send(isAll ? items : items.slice(replies.length, end))));
    } catch (reason) {
      if (replies.length === 0) throw reason;
      throw new PartialBatchError(
        items.map((_, at) =>
          at < replies.length ? { status: 'fulfilled', value: replies[at] } : { status: 'rejected', reason },
        ),
        reason,
      );
    }
  }
  return replies;
}

/** In characters, of what can be large. */
export function sizeOfSettlement(settlement: Settlement): number {
  return settlement.verb === 'complete' ? (settlement.result?.length ?? 0) : 0;
}
