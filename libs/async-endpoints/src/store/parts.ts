import { AsyncEndpointsError } from '../job/errors.js';
import type { Settlement } from '../job/lifecycle.js';

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

/**
 * A store keeps its jobs in several places and not all of them answered. The error has the code of the first failure, and says
 * what became of each element of the batch, in order: elements that were answered must not be sent again.
 */
export class PartialBatchError<TReply = unknown> extends AsyncEndpointsError {
  /** Private, because loggers print the properties of an error: a reply may be a record. */
  readonly #outcomes: readonly PromiseSettledResult<TReply>[];

  constructor(outcomes: readonly PromiseSettledResult<TReply>[], cause: unknown) {
    super(cause instanceof AsyncEndpointsError ? cause.code : 'STORE_UNAVAILABLE', undefined, { cause });
    this.#outcomes = outcomes;
  }

  get outcomes(): readonly PromiseSettledResult<TReply>[] {
    return this.#outcomes;
  }
}

/** What became of each of `count` elements. Never rejects. */
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
 * The replies, where every element has one.
 *
 * @throws PartialBatchError where some have; else the error of the first
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
