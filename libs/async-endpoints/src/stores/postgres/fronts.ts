/** The place of a claimed job in the queue of its name, which has one priority. */
export type Front = readonly [priority: number, scheduledAt: number, seq: number];

/** How often to look at what stands before the front: others may have put something there. */
const LOOK_MS = 250;
/** Looking costs little enough to do it after each short answer, in ms; and it takes no more than this part of the time. */
const CHEAP_MS = 20;
const PART = 1 / 20;

interface Known {
  front: Front;
  lookedAt: number;
  costMs: number;
}

/** A claim of some names. */
interface Move {
  readonly names: readonly string[];
  /** What `of` said for each of them. */
  readonly from: readonly (Front | null)[];
  /** Where those stand now that have claims, and one priority. */
  readonly to: ReadonlyMap<string, Front>;
  /** By `performance.now()`, when it began. */
  readonly since: number;
  /** Whether there were fewer claims than were asked for: what others put before the front may be missing. */
  readonly isShort: boolean;
}

/**
 * How far the queue of each name has been claimed, as far as this process knows: a claim need not walk over what was claimed
 * before and is not cleaned up yet, as while a long transaction holds a snapshot.
 */
export class Fronts {
  readonly #known = new Map<string, Known>();

  /** Null where the claim is to look at all of the queue. */
  of(name: string): Front | null {
    const known = this.#known.get(name);
    if (!known || performance.now() > known.lookedAt + Math.max(LOOK_MS, known.costMs / PART)) return null;
    return known.front;
  }

  moved({ names, from, to, since, isShort }: Move): void {
    const now = performance.now();
    for (const [at, name] of names.entries()) {
      const known = this.#known.get(name);
      const front = to.get(name);
      if (!from[at] && front) this.#known.set(name, { front, lookedAt: now, costMs: now - since });
      else if (known && front) known.front = front;
      if (isShort && (known?.costMs ?? 0) < CHEAP_MS) this.#known.delete(name);
    }
  }

  forget(name: string): void {
    this.#known.delete(name);
  }

  clear(): void {
    this.#known.clear();
  }
}
