import type { EndedOfName, WorkerInfo } from '../store/job-store.js';

const MINUTE_MS = 60_000;
const MINUTES = 15;
const MAX_NAMES = 500;

/** What ended in each of the last 15 minutes, the latest last, by job name. */
export interface Throughput {
  /** When the first of the workers began to count, at most 15 minutes ago. */
  readonly since: number;
  readonly names: Readonly<Record<string, EndedOfName>>;
}

/** The sum of what live workers say of themselves. It costs no reading of jobs, and is there before anybody looks. */
export function throughputOf(workers: readonly WorkerInfo[], at: number): Throughput {
  const names = new Map<string, { completed: number[]; failed: number[] }>();
  for (const { ended } of workers) {
    const late = Math.floor(at / MINUTE_MS) - (ended?.minute ?? 0);
    for (const [name, { completed, failed }] of Object.entries(ended?.names ?? {})) {
      const sum = names.get(name) ?? { completed: zeros(), failed: zeros() };
      if (names.size < MAX_NAMES) names.set(name, sum);
      add(sum.completed, completed, late);
      add(sum.failed, failed, late);
    }
  }
  const since = Math.min(at, ...workers.map(({ startedAt }) => startedAt));
  return { since: Math.max(since, at - MINUTES * MINUTE_MS), names: Object.fromEntries(names) };
}

/** @param late by how many minutes the counts are older than those of the sum */
function add(sum: number[], counts: readonly number[], late: number): void {
  for (const [index, count] of counts.entries()) {
    const minute = Math.min(index - late, MINUTES - 1);
    if (minute >= 0) sum[minute] = (sum[minute] as number) + count;
  }
}

function zeros(): number[] {
  return Array<number>(MINUTES).fill(0);
}
