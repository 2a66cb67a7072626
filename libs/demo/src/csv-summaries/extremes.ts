/** The smallest and the largest value by a key, with the text to show for each. */
export class Extremes<TKey extends number | string, TShown> {
  #min: { key: TKey; shown: TShown } | undefined;
  #max: { key: TKey; shown: TShown } | undefined;

  add(key: TKey, shown: TShown): void {
    if (this.#min === undefined || key < this.#min.key) this.#min = { key, shown };
    if (this.#max === undefined || key > this.#max.key) this.#max = { key, shown };
  }

  get min(): TShown | null {
    return this.#min?.shown ?? null;
  }

  get max(): TShown | null {
    return this.#max?.shown ?? null;
  }
}
