import { AsyncEndpointsError } from '../job/errors.js';
import type { Settlement } from '../job/lifecycle.js';

/** The approximate size limit of one call to a store: 0.4 s at 100 Mbit/s. A larger item is sent alone. */
const MOST_CHARACTERS = 4 * 1024 * 1024;

/** Whether an item of that size is sent alone. */
export function isLarge(size: number): boolean {
  return size > MOST_CHARACTERS;
}

/** The index after the last item of the part that begins at `from`. The items of a part are small enough for one call. */
export function endOfPart<T>(items: readonly T[], from: number, until: number, sizeOf: (item: T) => number): number {
  let size = sizeOf(items[from] as T);
  for (let at = from + 1; at < until; at++) {
    size += sizeOf(items[at] as T);
    if (size > MOST_CHARACTERS) return at;
  }
  return until;
}

/**
 * Sends items in parts, one after the other, and returns all replies as one batch.
 *
 * @param send may return fewer replies than items, but at least one: then the rest is sent again
 * @throws PartialBatchError when a part fails after others have succeeded
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

/** The size in characters of the parts of a settlement that can be large. */
export function sizeOfSettlement(settlement: Settlement): number {
  return settlement.verb === 'complete' ? (settlement.result?.length ?? 0) : 0;
}

/**
 * Part of a batch failed, for example because a store keeps its jobs in several places and not all of them replied. The error has
 * the code of the first failure and holds the outcome of each element, in order. Elements that have a reply must not be sent
 * again.
 */
export class PartialBatchError<TReply = unknown> extends AsyncEndpointsError {
  /** Private, because loggers print the properties of an error, and a reply may be a job record. */
  readonly #outcomes: readonly PromiseSettledResult<TReply>[];

  constructor(outcomes: readonly PromiseSettledResult<TReply>[], cause: unknown) {
    super(cause instanceof AsyncEndpointsError ? cause.code : 'STORE_UNAVAILABLE', undefined, { cause });
    this.#outcomes = outcomes;
  }

  get outcomes(): readonly PromiseSettledResult<TReply>[] {
    return this.#outcomes;
  }
}

/** The outcome of each of `count` elements. Never rejects. */
export async function outcomesOf<TReply>(
  call: Promise<readonly TReply[]>,
  count: number,
): Promise<readonly PromiseSettledResult<TReply>[]> {
  try {
    return (await call).map((value) => ({ status: 'fulfilled', value }));
  } catch (reason) {
    if (reason instanceof PartialBatchError) return reason.outcomes as PromiseSettledResult<TReply>[];
    return Array.from({ length: count }, () => ({ status: 'rejected', reason }));
  }
}

/**
 * The replies, when every element has one.
 *
 * @throws PartialBatchError when only some elements have a reply; the error of the first element when none has
 */
export function repliesOf<TReply>(outcomes: readonly PromiseSettledResult<TReply>[]): TReply[] {
  const replies = outcomes.filter((outcome) => outcome.status === 'fulfilled');
  if (replies.length === outcomes.length) return replies.map(({ value }) => value);
  const { reason } = outcomes.find(isRejected) as PromiseRejectedResult;
  throw replies.length > 0 ? new PartialBatchError(outcomes, reason) : reason;
}

export function isRejected(outcome: PromiseSettledResult<unknown>): outcome is PromiseRejectedResult {
  return outcome.status === 'rejected';
}
