import { setImmediate } from 'node:timers';

/** Fewer than that are not worth two calls. */
const WORTH_SPLITTING = 16;

/**
 * Collects what arrives while a batch is in flight into the next one; under load the batches grow by themselves. A lone item
 * leaves with whatever else came in its turn of the event loop, with no timer in between (docs/decisions/0034).
 */
export class Batcher<TItem, TReply> {
  #items: Waiting<TItem, TReply>[] = [];
  #inFlight = 0;
  #isDue = false;
  readonly #limit: number;
  readonly #overlap: number;

  /**
   * @param send answers in the order of the items, each now or later; a rejection rejects every item of the batch
   * @param options `limit`: the most items in a batch; `overlap`: the most batches in flight, so that one is worked on
   * there while the replies of another are here
   */
  constructor(
    private readonly send: (items: TItem[]) => Promise<(TReply | Promise<TReply>)[]>,
    { limit = 1_000, overlap = 1 }: { limit?: number; overlap?: number } = {},
  ) {
    this.#limit = limit;
    this.#overlap = overlap;
  }

  push(item: TItem): Promise<TReply> {
    return new Promise((resolve, reject) => {
      this.#items.push({ item, resolve, reject });
      if (this.#isDue || this.#inFlight === this.#overlap) return;
      this.#isDue = true;
      setImmediate(() => this.#drain());
    });
  }

  #drain(): void {
    this.#isDue = false;
    while (this.#items.length > 0 && this.#inFlight < this.#overlap) {
      const { length } = this.#items;
      const share = length < WORTH_SPLITTING ? length : Math.ceil(length / (this.#overlap - this.#inFlight));
      const batch = this.#items.slice(0, Math.min(share, this.#limit));
      this.#items = this.#items.slice(batch.length);
      void this.#sendBatch(batch);
    }
  }

  async #sendBatch(batch: Waiting<TItem, TReply>[]): Promise<void> {
    this.#inFlight++;
    try {
      const replies = await this.send(batch.map(({ item }) => item));
      for (let at = 0; at < batch.length; at++) batch[at]?.resolve(replies[at] as TReply | Promise<TReply>);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    this.#inFlight--;
    this.#drain();
  }
}

interface Waiting<TItem, TReply> {
  readonly item: TItem;
  readonly resolve: (reply: TReply | Promise<TReply>) => void;
  readonly reject: (error: unknown) => void;
}
