import type { QueueStats } from '../store/job-store.js';

const BUCKET_MS = 15_000;
const BUCKETS = 60;
const MAX_NAMES = 200;

/** Jobs that ended in each bucket of 15 s, the latest bucket last, by job name. */
export type ThroughputHistory = Readonly<Record<string, { completed: readonly number[]; failed: readonly number[] }>>;

interface Series {
  completed: number[];
  failed: number[];
}

/**
 * How many jobs ended over the last 15 minutes, from the counts of terminal jobs. A count that falls, as it does by a purge, adds
 * nothing. While nobody looks, nothing is counted: what ended meanwhile is not shown as if it had ended at once.
 */
export class Throughput {
  readonly #series = new Map<string, Series>();
  #last = new Map<string, number>();
  #lastAt = 0;
  #bucket = 0;

  add(at: number, stats: readonly QueueStats[]): ThroughputHistory {
    const counts = new Map(stats.map(({ name, status, count }) => [`${status} ${name}`, count]));
    this.#move(Math.floor(at / BUCKET_MS));
    const isGap = at - this.#lastAt > BUCKET_MS;
    for (const name of new Set(stats.map((entry) => entry.name))) {
      const series = this.#seriesOf(name);
      if (!series) continue;
      for (const [status, buckets] of [
        ['Completed', series.completed],
        ['Failed', series.failed],
      ] as const) {
        const key = `${status} ${name}`;
        const grown = isGap ? 0 : (counts.get(key) ?? 0) - (this.#last.get(key) ?? 0);
        buckets[BUCKETS - 1] = (buckets[BUCKETS - 1] ?? 0) + Math.max(grown, 0);
      }
    }
    this.#last = counts;
    this.#lastAt = at;
    return Object.fromEntries(this.#series);
  }

  #seriesOf(name: string): Series | undefined {
    const known = this.#series.get(name);
    if (known || this.#series.size >= MAX_NAMES) return known;
    const series = { completed: Array<number>(BUCKETS).fill(0), failed: Array<number>(BUCKETS).fill(0) };
    this.#series.set(name, series);
    return series;
  }

  #move(bucket: number): void {
    const steps = Math.min(Math.max(bucket - this.#bucket, 0), BUCKETS);
    this.#bucket = bucket;
    const zeros = Array<number>(steps).fill(0);
    for (const series of this.#series.values()) {
      series.completed = [...series.completed.slice(steps), ...zeros];
      series.failed = [...series.failed.slice(steps), ...zeros];
    }
  }
}
