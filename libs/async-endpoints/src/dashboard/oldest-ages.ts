import { isWaiting } from '../job/job.js';
import type { QueueStats } from '../store/job-store.js';

const WINDOW_MS = 60_000;
/** A job that waits for less is not worth a mark. */
const LATE_MS = 5_000;
/** Of the time that passes: a queue that is worked off in order, but too slowly, gets older by a part of it. */
const GROWTH = 0.25;

interface Sample {
  readonly at: number;
  readonly ageMs: number;
}

/** Which queues fall behind: those whose oldest waiting job is older than it was within the last minute. */
export class OldestAges {
  #samples = new Map<string, readonly Sample[]>();

  /** @returns the names, once there are two readings */
  add(at: number, stats: readonly QueueStats[]): string[] {
    const ages = new Map<string, number>();
    for (const { name, status, oldestAgeMs } of stats) {
      if (isWaiting(status)) ages.set(name, Math.max(ages.get(name) ?? 0, oldestAgeMs ?? 0));
    }
    const known = this.#samples;
    this.#samples = new Map(
      [...ages].map(([name, ageMs]) => {
        const recent = (known.get(name) ?? []).filter((sample) => at - sample.at <= WINDOW_MS);
        return [name, [...recent, { at, ageMs }]];
      }),
    );
    return [...this.#samples].filter(([, samples]) => isGrowing(samples)).map(([name]) => name);
  }
}

function isGrowing(samples: readonly Sample[]): boolean {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || last.ageMs < LATE_MS) return false;
  return last.ageMs - first.ageMs > GROWTH * (last.at - first.at) && last.at > first.at;
}
