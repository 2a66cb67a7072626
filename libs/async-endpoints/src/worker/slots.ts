/** How many jobs a worker may still start: in all, and of each name. */
export class Slots {
  readonly #running = new Map<string, number>();
  #total = 0;

  /** @param concurrency by name; null where only the total counts */
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

  /** Names with a free slot, and how many. */
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
