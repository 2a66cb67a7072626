import { Inject, Injectable } from '@nestjs/common';
import type { JobRecord } from '../../job/job.js';
import { JobRecords } from '../../jobs/job-records.js';
import { OPTIONS, type ResolvedOptions } from '../../options/options.js';
import { endsWithin } from '../../store/in-time.js';
import { JobStore } from '../../store/job-store.js';
import { isFull } from '../../store/queue-stats.js';
import type { QueueStats } from '../../store/verbs.js';

/** How much the latest run counts against all before it. */
const WEIGHT = 0.2;
const STATS_MS = 1_000;
/** How long a refusal waits for the statistics of the store. */
const PATIENCE_MS = 500;
/** For a job of which only the age is known: the estimate is this part of its age. */
const PART_OF_AGE = 0.25;

/**
 * Estimates when a client should ask again, from the queue and from how long jobs of the name ran recently, as far as this process
 * has read them. It asks the store for statistics at most once per second, and only a refusal waits for them.
 */
@Injectable()
export class RetryAfter {
  readonly #runs = new Map<string, { ms: number; completedAt: number }>();
  #stats: readonly QueueStats[] = [];
  /** When the statistics arrived, and when they were requested, by this process's clock. */
  #statsAt = -Infinity;
  #askedAt = -Infinity;
  #asked: Promise<void> = Promise.resolve();

  constructor(
    @Inject(JobStore) private readonly store: JobStore,
    @Inject(JobRecords) records: JobRecords,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {
    records.completed.subscribe((job) => this.#learn(job));
  }

  /** Learns from a job the first time that this process reads it as completed. */
  #learn({ name, startedAt, completedAt }: JobRecord): void {
    if (startedAt === null || completedAt === null) return;
    const known = this.#runs.get(name);
    if (known && known.completedAt >= completedAt) return;
    const run = completedAt - startedAt;
    this.#runs.set(name, { ms: known ? known.ms + WEIGHT * (run - known.ms) : run, completedAt });
  }

  /** In seconds, for a job that has not finished. */
  of(job: JobRecord): string {
    const now = Date.now();
    if (job.status === 'InProgress') return this.#seconds(this.#remainingMs(job, now - (job.startedAt ?? now)));
    const dueInMs = job.scheduledAt - now;
    return this.#seconds(Math.max(dueInMs, 0) + this.#waitingMs(job, Math.max(-dueInMs, 0)));
  }

  /**
   * In seconds, for a refused request: the time until the jobs that wait now have started. They are the jobs of this name, or all
   * jobs when the queue of all names is full. At least the age of the oldest one: this process may not know how long such jobs run.
   */
  async ofFullQueue(name: string): Promise<string> {
    this.#refresh();
    await endsWithin(PATIENCE_MS, this.#asked);
    const waiting = this.#stats.filter(({ status, count }) => status === 'Queued' && count > 0);
    const isTotal = isFull(this.#stats, this.options.jobs);
    const queues = waiting.filter((entry) => isTotal || entry.name === name);
    const ms = queues.map((queue) => Math.max(this.#queueMs(queue.name, 1), queue.oldestAgeMs ?? 0));
    return this.#seconds(Math.max(0, ...ms));
  }

  #seconds(ms: number): string {
    return String(Math.min(Math.max(Math.round(ms / 1_000), 1), Math.floor(this.options.http.maxRetryAfterMs / 1_000)));
  }

  #runMs(name: string): number {
    return this.#runs.get(name)?.ms ?? 0;
  }

  #remainingMs({ name, progress }: JobRecord, elapsedMs: number): number {
    if (progress && progress.fraction > 0) return (elapsedMs * (1 - progress.fraction)) / progress.fraction;
    const runMs = this.#runMs(name);
    return runMs > elapsedMs ? runMs - elapsedMs : elapsedMs * PART_OF_AGE;
  }

  /** Assumes that jobs arrive evenly: the jobs that became due before this one are ahead of it. */
  #waitingMs({ name }: JobRecord, ageMs: number): number {
    const runMs = this.#runMs(name);
    if (runMs === 0) return ageMs * PART_OF_AGE;
    const oldestAgeMs = (this.#find(name, 'Queued')?.oldestAgeMs ?? 0) + performance.now() - this.#statsAt;
    return this.#queueMs(name, oldestAgeMs > ageMs ? 1 - ageMs / oldestAgeMs : 0) + runMs;
  }

  /** How long this part of the queue takes, when as many jobs run at a time as now. */
  #queueMs(name: string, part: number): number {
    const runMs = this.#runMs(name);
    if (runMs === 0) return 0;
    this.#refresh();
    const workers = Math.max(this.#find(name, 'InProgress')?.count ?? 1, 1);
    return ((this.#find(name, 'Queued')?.count ?? 0) * part * runMs) / workers;
  }

  #find(name: string, status: JobRecord['status']): QueueStats | undefined {
    return this.#stats.find((entry) => entry.name === name && entry.status === status);
  }

  /** Most callers do not wait for the answer; it serves the next estimate. */
  #refresh(): void {
    const now = performance.now();
    if (now - this.#askedAt < STATS_MS) return;
    this.#askedAt = now;
    this.#asked = this.store.stats().then(
      (stats) => {
        this.#stats = stats;
        this.#statsAt = performance.now();
      },
      () => {}, // the last statistics remain
    );
  }
}
