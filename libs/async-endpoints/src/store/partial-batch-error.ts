import { AsyncEndpointsError } from '../job/errors.js';

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
