/** Has each call begin with another name, or small claims would always serve the same one. */
export class Turns {
  #turn = 0;

  rotate(names: Iterable<string>): string[] {
    const all = [...names];
    const start = this.#turn++ % Math.max(all.length, 1);
    return [...all.slice(start), ...all.slice(0, start)];
  }
}
