/** An item with its number in its roster. */
export interface RosterItem {
  rosterNumber: number;
  /** Its memory in bytes, constant while it is in a roster. */
  readonly bytes: number;
}

const COMPACT_FROM = 64;

/**
 * Items in the order of their arrival, each with a growing number. Append is O(1), remove O(log n), the oldest item O(1), and to
 * continue before any number O(log n). Removed items leave holes, which are closed when they exceed half of the list.
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

  /** The memory of all items. */
  get bytes(): number {
    return this.#bytes;
  }

  get oldest(): T | undefined {
    return this.#items[this.#head];
  }

  /** @param number larger than that of every earlier item; an item has the same number in all its rosters */
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

  /** The items with a smaller number, the largest number first. An item with the given number need not exist. */
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
