import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { isWaiting, type JobRecord } from '../../job/job.js';
import { JobManager } from '../../jobs/job-manager.js';
import { OPTIONS, type ResolvedOptions } from '../../options/options.js';

/** How much the latest run counts against all before it. */
const WEIGHT = 0.2;
const STATS_MS = 1_000;
/** How long a refusal waits for the store to tell of its queues. */
const PATIENCE_MS = 500;
/** Of a job of which nothing is known but its age: it will take this part of its age longer. */
const PART_OF_AGE = 0.25;

type Stats = Awaited<ReturnType<JobManager['stats']>>;

/**
 * When asking again is worth it: an estimate from the queue and from how long jobs of the name ran lately, as far as this
 * process has seen them end. The store is asked for its queues at most once per second, and only a refusal waits for it.
 */
@Injectable()
export class RetryAfter {
  readonly #runs = new Map<string, { ms: number; completedAt: number }>();
  #stats: Stats = [];
  /** Of when the stats are, and since when they are asked for, by this process's clock. */
  #statsAt = -Infinity;
  #askedAt = -Infinity;
  #asked: Promise<void> = Promise.resolve();

  constructor(
    @Inject(JobManager) private readonly jobs: JobManager,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Learns from a completed job, the first time it is seen. */
  observe({ name, status, startedAt, completedAt }: JobRecord): void {
    if (status !== 'Completed' || startedAt === null || completedAt === null) return;
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
   * In seconds, for a request that was refused: until what waits now has been started, of this name, or of any where the
   * queue of all names is full. Never less than the oldest has waited so far, which is all that is known where this
   * process has seen no such job end.
   */
  async ofFullQueue(name: string): Promise<string> {
    this.#refresh();
    const patience = new AbortController();
    const late = pause(PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => {}); // it was in time
    await Promise.race([this.#asked, late]);
    patience.abort();
    const waiting = this.#stats.filter(({ status, count }) => status === 'Queued' && count > 0);
    const queues = waiting.filter((entry) => this.#isFull || entry.name === name);
    const ms = queues.map((queue) => Math.max(this.#queueMs(queue.name, 1), queue.oldestAgeMs ?? 0));
    return this.#seconds(Math.max(0, ...ms));
  }

  /** In seconds, for what has nothing to do with a queue. */
  soon(): string {
    return this.#seconds(0);
  }

  /** Whether it is the queue of all names that is full. */
  get #isFull(): boolean {
    const waiting = this.#stats.filter(({ status }) => isWaiting(status));
    const count = waiting.reduce((sum, entry) => sum + entry.count, 0);
    const bytes = waiting.reduce((sum, entry) => sum + (entry.bytes ?? 0), 0);
    const { maxQueueSize, maxQueueBytes } = this.options.jobs;
    return count >= maxQueueSize || bytes >= maxQueueBytes;
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

  /** As if jobs came evenly: of those that wait, the part that was due before this one is ahead of it. */
  #waitingMs({ name }: JobRecord, ageMs: number): number {
    const runMs = this.#runMs(name);
    if (runMs === 0) return ageMs * PART_OF_AGE;
    const oldestAgeMs = (this.#find(name, 'Queued')?.oldestAgeMs ?? 0) + performance.now() - this.#statsAt;
    return this.#queueMs(name, oldestAgeMs > ageMs ? 1 - ageMs / oldestAgeMs : 0) + runMs;
  }

  /** How long this part of the queue takes, with as many workers as there are jobs in progress. */
  #queueMs(name: string, part: number): number {
    const runMs = this.#runMs(name);
    if (runMs === 0) return 0;
    this.#refresh();
    const workers = Math.max(this.#find(name, 'InProgress')?.count ?? 1, 1);
    return ((this.#find(name, 'Queued')?.count ?? 0) * part * runMs) / workers;
  }

  #find(name: string, status: JobRecord['status']): Stats[number] | undefined {
    return this.#stats.find((entry) => entry.name === name && entry.status === status);
  }

  /** Most who ask do not wait: it is for the next. */
  #refresh(): void {
    const now = performance.now();
    if (now - this.#askedAt < STATS_MS) return;
    this.#askedAt = now;
    this.#asked = this.jobs.stats().then(
      (stats) => {
        this.#stats = stats;
        this.#statsAt = performance.now();
      },
      () => {}, // what was known will do
    );
  }
}
