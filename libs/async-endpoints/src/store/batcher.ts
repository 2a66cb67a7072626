/**
 * Collects what arrives while a batch is in flight into the next one. A lone item leaves at the end of its tick, with no
 * timer in between; under load the batches grow by themselves.
 */
export class Batcher<TItem, TReply> {
  #items: { item: TItem; resolve: (reply: TReply) => void; reject: (error: unknown) => void }[] = [];
  #inFlight = false;

  /**
   * @param send answers in the order of the items; a rejection rejects every item of the batch
   * @param limit the most items in a batch
   */
  constructor(
    private readonly send: (items: TItem[]) => Promise<TReply[]>,
    private readonly limit = 1_000,
  ) {}

  push(item: TItem): Promise<TReply> {
    return new Promise((resolve, reject) => {
      this.#items.push({ item, resolve, reject });
      if (this.#inFlight) return;
      this.#inFlight = true;
      queueMicrotask(() => void this.#drain());
    });
  }

  async #drain(): Promise<void> {
    while (this.#items.length > 0) {
      const batch = this.#items.slice(0, this.limit);
      this.#items = this.#items.slice(this.limit);
      try {
        const replies = await this.send(batch.map(({ item }) => item));
        batch.forEach(({ resolve }, index) => resolve(replies[index] as TReply));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#inFlight = false;
  }
}
