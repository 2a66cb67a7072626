/** The index of an item in its heap. An item may be in two heaps when each heap has an index property of its own. */
export type HeapItem<K extends string = 'heapIndex'> = { [key in K]: number };

/** A binary heap from which any item can be removed: every operation O(log n), `peek` O(1). */
export class Heap<T extends HeapItem<K>, K extends string = 'heapIndex'> {
  readonly #items: T[] = [];
  readonly #before: (a: T, b: T) => boolean;
  readonly #index: K;

  constructor(before: (a: T, b: T) => boolean, index = 'heapIndex' as K) {
    this.#before = before;
    this.#index = index;
  }

  get size(): number {
    return this.#items.length;
  }

  has(item: T): boolean {
    return this.#items[item[this.#index]] === item;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    this.#items.push(item);
    this.#rise(item, this.#items.length - 1);
  }

  remove(item: T): void {
    const index = item[this.#index];
    const last = this.#items.pop() as T;
    if (last !== item) this.#settle(last, index);
    (item as HeapItem<K>)[this.#index] = -1;
  }

  /** Call it after a value that determines the order has changed. */
  update(item: T): void {
    this.#settle(item, item[this.#index]);
  }

  #settle(item: T, index: number): void {
    const parent = this.#items[(index - 1) >> 1];
    if (index > 0 && parent && this.#before(item, parent)) this.#rise(item, index);
    else this.#sink(item, index);
  }

  #rise(item: T, from: number): void {
    let index = from;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = this.#items[above] as T;
      if (!this.#before(item, parent)) break;
      this.#place(parent, index);
      index = above;
    }
    this.#place(item, index);
  }

  #sink(item: T, from: number): void {
    const { length } = this.#items;
    let index = from;
    for (;;) {
      let below = 2 * index + 1;
      if (below >= length) break;
      const right = below + 1;
      if (right < length && this.#before(this.#items[right] as T, this.#items[below] as T)) below = right;
      const child = this.#items[below] as T;
      if (!this.#before(child, item)) break;
      this.#place(child, index);
      index = below;
    }
    this.#place(item, index);
  }

  #place(item: T, index: number): void {
    this.#items[index] = item;
    (item as HeapItem<K>)[this.#index] = index;
  }
}
