/** How many more jobs a worker may start, in total and by name. */
export class Slots {
  readonly #running = new Map<string, number>();
  #total = 0;

  /** @param concurrency by name; null for names without a limit of their own */
  constructor(
    private readonly maximum: number,
    private readonly concurrency: ReadonlyMap<string, number | null>,
  ) {}

  get running(): number {
    return this.#total;
  }

  get free(): number {
    return this.maximum - this.#total;
  }

  /** The names with free slots, and their number. */
  byName(): Map<string, number> {
    const slots = new Map<string, number>();
    for (const [name, limit] of this.concurrency) {
      const free = Math.min(this.free, (limit ?? this.maximum) - (this.#running.get(name) ?? 0));
      if (free > 0) slots.set(name, free);
    }
    return slots;
  }

  take(name: string): void {
    this.#total++;
    this.#running.set(name, (this.#running.get(name) ?? 0) + 1);
  }

  give(name: string): void {
    this.#total--;
    this.#running.set(name, (this.#running.get(name) ?? 1) - 1);
  }
}
