import type { QueueStats } from '../store/job-store.js';

const BUCKET_MS = 15_000;
const BUCKETS = 60;
const MAX_NAMES = 200;

/** Jobs that ended in each bucket of 15 s, the latest bucket last, by job name. */
export interface ThroughputHistory {
  /** When the count began, at most 15 minutes ago. */
  readonly since: number;
  readonly names: Readonly<Record<string, Series>>;
}

interface Series {
  readonly completed: readonly number[];
  readonly failed: readonly number[];
}

/**
 * How many jobs ended over the last 15 minutes, from the counts of terminal jobs. A count that falls, as it does by a purge, adds
 * nothing. While nobody looks, nothing is counted: the count begins anew then.
 */
export class Throughput {
  #series = new Map<string, { completed: number[]; failed: number[] }>();
  #last = new Map<string, number>();
  #lastAt = -Infinity;
  #since = 0;
  #bucket = 0;

  add(at: number, stats: readonly QueueStats[]): ThroughputHistory {
    const counts = new Map(stats.map(({ name, status, count }) => [`${status} ${name}`, count]));
    if (at - this.#lastAt > BUCKET_MS) this.#begin(at);
    else this.#count(counts, Math.floor(at / BUCKET_MS));
    this.#last = counts;
    this.#lastAt = at;
    return { since: Math.max(this.#since, at - BUCKET_MS * BUCKETS), names: Object.fromEntries(this.#series) };
  }

  #begin(at: number): void {
    this.#series = new Map();
    this.#since = at;
    this.#bucket = Math.floor(at / BUCKET_MS);
  }

  #count(counts: ReadonlyMap<string, number>, bucket: number): void {
    this.#move(bucket);
    for (const [key, count] of counts) {
      const [, status, name = ''] = /^(\w+) (.*)$/s.exec(key) ?? [];
      if (status !== 'Completed' && status !== 'Failed') continue;
      const buckets = this.#seriesOf(name)?.[status === 'Completed' ? 'completed' : 'failed'];
      const grown = Math.max(count - (this.#last.get(key) ?? 0), 0);
      if (buckets) buckets[BUCKETS - 1] = (buckets[BUCKETS - 1] ?? 0) + grown;
    }
  }

  #seriesOf(name: string): { completed: number[]; failed: number[] } | undefined {
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
