/** Has each call begin with another item, or small claims would always serve the same one. */
export class Turns {
  #turn = 0;

  rotate<T>(items: Iterable<T>): T[] {
    const all = [...items];
    const start = this.#turn++ % Math.max(all.length, 1);
    return [...all.slice(start), ...all.slice(0, start)];
  }
}
