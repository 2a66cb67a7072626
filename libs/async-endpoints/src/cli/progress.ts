const WIDTH = 30;

/** How far long work has come, on one line that is gone afterwards; nothing where nobody is at a terminal. */
export class ProgressBar {
  #done = 0;

  /** @param total null where nobody knows */
  constructor(
    private readonly total: number | null,
    private readonly terminal: NodeJS.WriteStream = process.stderr,
  ) {}

  advance(by: number): void {
    this.#done += by;
    if (this.terminal.isTTY) this.terminal.write(`\r${this.#line()}`);
  }

  end(): void {
    if (this.terminal.isTTY && this.#done > 0) this.terminal.write(`\r${' '.repeat(this.#line().length)}\r`);
  }

  #line(): string {
    if (this.total === null) return `${this.#done} jobs`;
    const filled = Math.round((WIDTH * this.#done) / this.total);
    const percent = Math.floor((100 * this.#done) / this.total);
    return `[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${percent}% ${this.#done}/${this.total} jobs`;
  }
}
