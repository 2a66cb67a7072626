/** Something that knows its number in the one roster that holds it. */
export interface RosterItem {
  rosterNumber: number;
  /** What it takes in memory; it stays so while a roster holds it. */
  readonly bytes: number;
}

const COMPACT_FROM = 64;

/**
 * Items in the order in which they came, each with a number that grows: append O(1), remove O(log n), oldest O(1),
 * resume before any number O(log n). Leavers leave holes, closed when they are the greater half.
 */
export class Roster<T extends RosterItem> {
  #numbers: number[] = [];
  #items: (T | undefined)[] = [];
  #head = 0;
  #size = 0;
  #bytes = 0;

  get size(): number {
    return this.#size;
  }

  /** What its items take in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  get oldest(): T | undefined {
    return this.#items[this.#head];
  }

  /** @param number greater than that of every item before; an item has the same number in all rosters that hold it */
  append(item: T, number: number): void {
    item.rosterNumber = number;
    this.#numbers.push(item.rosterNumber);
    this.#items.push(item);
    this.#size++;
    this.#bytes += item.bytes;
  }

  remove(item: T): void {
    this.#items[this.#firstAfter(item.rosterNumber - 1)] = undefined;
    this.#size--;
    this.#bytes -= item.bytes;
    while (this.#head < this.#items.length && this.#items[this.#head] === undefined) this.#head++;
    while (this.#items.length > this.#head && this.#items.at(-1) === undefined) {
      this.#items.pop();
      this.#numbers.pop();
    }
    if (this.#items.length >= COMPACT_FROM && this.#size * 2 < this.#items.length) this.#compact();
  }

  /** The items that came before the one with this number, which need not be here any more; the last to come is first. */
  *before(number: number): Generator<T> {
    for (let index = this.#firstAfter(number - 1) - 1; index >= this.#head; index--) {
      const item = this.#items[index];
      if (item) yield item;
    }
  }

  #firstAfter(number: number): number {
    let low = this.#head;
    let high = this.#numbers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#numbers[middle] as number) <= number) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #compact(): void {
    this.#items = this.#items.filter((item) => item !== undefined);
    this.#numbers = this.#items.map((item) => (item as T).rosterNumber);
    this.#head = 0;
  }
}
