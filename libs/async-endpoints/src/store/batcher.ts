import { AsyncResource } from 'node:async_hooks';
import { setImmediate } from 'node:timers';
import { AsyncEndpointsError } from '../job/errors.js';
import { endOfPart, isLarge, isRejected, PartialBatchError } from './parts.js';

/** A batch with fewer items is not split in two calls. */
const WORTH_SPLITTING = 16;
const DEFAULTS = { limit: 1_000, overlap: 1, keepsOrder: false, isEager: false };

interface BatcherOptions<TItem> {
  /** The most items in a batch. Default 1000. */
  limit?: number;
  /**
   * The most batches in flight. With more than 1, the store works on one batch while this process handles the replies of another.
   * Default 1.
   */
  overlap?: number;
  /**
   * Whether items keep their order: those that arrived together are not split over two batches in flight. Default false, so that
   * the store gets halves to work on at once.
   */
  keepsOrder?: boolean;
  /** The size of an item in characters, for items that can be large. It bounds a batch in addition to `limit`. */
  sizeOf?: (item: TItem) => number;
  /** Whether the first item is sent in the call, alone, so that it keeps its place among other statements. Default false. */
  isEager?: boolean;
}

/**
 * Collects the items that arrive while a batch is in flight into the next batch, so batches grow under load. An item that finds
 * no batch in flight is sent at the end of the turn of the event loop, without a timer (docs/decisions/0034).
 *
 * A batch serves several requests. It is therefore sent in the async context in which the batcher was created, not in the context
 * of one request (docs/decisions/0065).
 */
export class Batcher<TItem, TReply> {
  #items: Waiting<TItem, TReply>[] = [];
  #inFlight = 0;
  #isDue = false;
  /** Whether the last batch left items behind that must not overtake it. */
  #mustWait = false;
  readonly #context = new AsyncResource('Batcher');
  readonly #options: BatcherOptions<TItem> & typeof DEFAULTS;

  /**
   * @param send returns the replies in the order of the items; each may be a promise. When it rejects with an
   * `AsyncEndpointsError`, such as `STORE_UNAVAILABLE`, every item rejects with that error. Any other rejection means that one
   * item is at fault: each half is sent again until that item fails alone. A `PartialBatchError` names the items that failed; the
   * others have their replies.
   */
  constructor(
    private readonly send: (items: TItem[]) => Promise<(TReply | Promise<TReply>)[]>,
    options: BatcherOptions<TItem> = {},
  ) {
    this.#options = { ...DEFAULTS, ...options };
  }

  push(item: TItem): Promise<TReply> {
    return new Promise((resolve, reject) => {
      this.#items.push({ item, resolve, reject });
      if (this.#isDue || this.#inFlight === this.#options.overlap) return;
      if (this.#options.isEager) return this.#drain();
      this.#isDue = true;
      setImmediate(() => this.#context.runInAsyncScope(this.#drain, this));
    });
  }

  #drain(): void {
    this.#isDue = false;
    const { limit, overlap, keepsOrder, sizeOf: sizeOfItem } = this.#options;
    const sizeOf = sizeOfItem && (({ item }: Waiting<TItem, TReply>) => sizeOfItem(item));
    while (this.#items.length > 0 && this.#inFlight < (this.#mustWait ? 1 : overlap)) {
      // Two large batches in flight would make heartbeats wait for both.
      if (this.#inFlight > 0 && sizeOf && isLarge(sizeOf(this.#items[0] as Waiting<TItem, TReply>))) return;
      const { length } = this.#items;
      const isWhole = keepsOrder || length < WORTH_SPLITTING;
      const most = Math.min(isWhole ? length : Math.ceil(length / (overlap - this.#inFlight)), limit);
      const batch = this.#items.slice(0, sizeOf ? endOfPart(this.#items, 0, most, sizeOf) : most);
      this.#items = this.#items.slice(batch.length);
      this.#mustWait = keepsOrder && this.#items.length > 0;
      void this.#sendBatch(batch);
    }
  }

  async #sendBatch(batch: Waiting<TItem, TReply>[]): Promise<void> {
    this.#inFlight++;
    await this.#sendPart(batch);
    this.#inFlight--;
    this.#drain();
  }

  async #sendPart(batch: Waiting<TItem, TReply>[]): Promise<void> {
    try {
      const replies = await this.send(batch.map(({ item }) => item));
      for (let at = 0; at < batch.length; at++) batch[at]?.resolve(replies[at] as TReply | Promise<TReply>);
    } catch (error) {
      if (error instanceof PartialBatchError) return this.#settleEach(batch, error);
      return this.#failed(batch, error);
    }
  }

  async #settleEach(batch: Waiting<TItem, TReply>[], { outcomes }: PartialBatchError): Promise<void> {
    const failed = new Map<unknown, Waiting<TItem, TReply>[]>();
    for (const [at, waiting] of batch.entries()) {
      const outcome = outcomes[at] as PromiseSettledResult<TReply>;
      if (isRejected(outcome)) failed.set(outcome.reason, [...(failed.get(outcome.reason) ?? []), waiting]);
      else waiting.resolve(outcome.value);
    }
    for (const [reason, some] of failed) await this.#failed(some, reason);
  }

  async #failed(batch: Waiting<TItem, TReply>[], error: unknown): Promise<void> {
    if (batch.length > 1 && !(error instanceof AsyncEndpointsError)) return this.#sendHalves(batch);
    for (const { reject } of batch) reject(error);
  }

  async #sendHalves(batch: Waiting<TItem, TReply>[]): Promise<void> {
    const half = Math.ceil(batch.length / 2);
    await this.#sendPart(batch.slice(0, half));
    await this.#sendPart(batch.slice(half));
  }
}

interface Waiting<TItem, TReply> {
  readonly item: TItem;
  readonly resolve: (reply: TReply | Promise<TReply>) => void;
  readonly reject: (error: unknown) => void;
}
