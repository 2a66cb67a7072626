import { isWaiting, JOB_STATUSES, type JobRecord, type JobStatus } from '../../job/job.js';
import type { PausedQueue, QueueStats } from '../../store/job-store.js';
import { pausedAndEmpty } from '../../store/queue-stats.js';
import { Heap, type HeapItem } from './heap.js';
import { Roster, type RosterItem } from './roster.js';
import { Selections } from './selections.js';

/**
 * The current record of a job and its places in the indexes. A job is always in one heap and one roster. A waiting job is also in
 * the heap by `scheduledAt`, a terminal job in the heap by its end.
 */
export interface Entry extends HeapItem, HeapItem<'dueIndex'>, HeapItem<'endIndex'>, RosterItem {
  job: JobRecord;
  /** Deleted on completion, because a completed job never runs again. */
  payload: string;
  /** The order of submission. */
  readonly number: number;
  /** The order in which jobs ended; 0 before the end. */
  endNumber: number;
  /** The memory of the job when it came into its status. A job in progress keeps the value from its wait. */
  bytes: number;
}

/** Larger than any difference of times, and small enough for exact sums. */
const NEVER_MS = 2 ** 45;

/** The jobs of one name. */
export class Queue {
  /**
   * The claimable jobs, ordered by `scheduledAt` minus the worth of the priority, then by larger priority, then by order of
   * submission.
   */
  readonly ready = new Heap<Entry>((a, b) => {
    const [left, right] = [this.#placeOf(a), this.#placeOf(b)];
    if (left !== right) return left < right;
    return a.job.priority === b.job.priority ? a.number < b.number : a.job.priority > b.job.priority;
  });
  /** The jobs that are not claimable before their `scheduledAt`. */
  readonly scheduled = new Heap<Entry>((a, b) => a.job.scheduledAt < b.job.scheduledAt);
  /** All waiting jobs, by `scheduledAt`. */
  readonly waitingByDueTime = new Heap<Entry, 'dueIndex'>((a, b) => a.job.scheduledAt < b.job.scheduledAt, 'dueIndex');
  /** Null when the name is not paused. */
  paused: PausedQueue | null = null;
  /** The jobs of an owner, and those with an error, by status. */
  readonly selections = new Selections<Entry>();
  readonly rosters = new Map(JOB_STATUSES.map((status) => [status, new Roster<Entry>()]));

  readonly #stepMs: number;

  /** @param agingMs how long a job must wait to rank one step of priority higher; 0 for strict order by priority */
  constructor(
    readonly name: string,
    agingMs: number,
  ) {
    this.#stepMs = agingMs === 0 ? NEVER_MS : agingMs;
  }

  /** The place does not depend on the current time, so the order of two jobs never changes. */
  #placeOf({ job }: Entry): number {
    return job.scheduledAt - job.priority * this.#stepMs;
  }

  roster(status: JobStatus): Roster<Entry> {
    return this.rosters.get(status) as Roster<Entry>;
  }

  get waiting(): number {
    return this.waitingByDueTime.size;
  }

  get waitingBytes(): number {
    return this.roster('Queued').bytes + this.roster('Scheduled').bytes;
  }

  /** The next claimable job. Moves scheduled jobs whose `scheduledAt` has come to the claimable ones first. */
  next(now: number): Entry | undefined {
    if (this.paused) return undefined;
    for (let due = this.scheduled.peek(); due && due.job.scheduledAt <= now; due = this.scheduled.peek()) {
      this.scheduled.remove(due);
      this.ready.push(due);
    }
    return this.ready.peek();
  }

  /** The earliest `scheduledAt` of the scheduled jobs; `Infinity` while the name is paused. */
  get nextScheduledAt(): number {
    return (this.paused ? undefined : this.scheduled.peek()?.job.scheduledAt) ?? Infinity;
  }

  stats(now: number): QueueStats[] {
    const { name } = this;
    const isPaused = this.paused !== null;
    const stats = [...this.rosters].flatMap(([status, { size, bytes, oldest }]): QueueStats[] => {
      if (!oldest) return [];
      const oldestAgeMs = this.#oldestAge(status, oldest, now);
      return [{ name, status, count: size, bytes: isWaiting(status) ? bytes : null, oldestAgeMs, isPaused }];
    });
    return isPaused && this.roster('Queued').size === 0 ? [pausedAndEmpty(name), ...stats] : stats;
  }

  #oldestAge(status: JobStatus, oldest: Entry, now: number): number | null {
    if (isWaiting(status)) return Math.max(now - (this.waitingByDueTime.peek() as Entry).job.scheduledAt, 0);
    return status === 'InProgress' ? now - (oldest.job.startedAt as number) : null;
  }
}
