import { isWaiting, JOB_STATUSES, type JobRecord, type JobStatus } from '../../job/job.js';
import type { PausedQueue, QueueStats } from '../../store/job-store.js';
import { pausedAndEmpty } from '../../store/verbs.js';
import { Heap, type HeapItem } from './heap.js';
import { Roster, type RosterItem } from './roster.js';
import { Selections } from './selections.js';

/**
 * A job's present record and where the indexes hold it: always in one heap and one roster; by due time while it waits, and by
 * its end when it has ended.
 */
export interface Entry extends HeapItem, HeapItem<'dueIndex'>, HeapItem<'endIndex'>, RosterItem {
  job: JobRecord;
  /** Dropped on completion: nothing runs a completed job again. */
  payload: string;
  /** Order of submission. */
  readonly number: number;
  /** Order of ending; 0 before. */
  endNumber: number;
  /** What it takes in memory, from when it came to its status; in progress, as while it waited. */
  bytes: number;
}

/** More than any difference of times, and small enough for sums to be exact. */
const NEVER_MS = 2 ** 45;

/** The jobs of one name. */
export class Queue {
  /** Claimable: by due time less what priority is worth, then larger priority, then order of submission. */
  readonly ready = new Heap<Entry>((a, b) => {
    const [left, right] = [this.#placeOf(a), this.#placeOf(b)];
    if (left !== right) return left < right;
    return a.job.priority === b.job.priority ? a.number < b.number : a.job.priority > b.job.priority;
  });
  /** Not claimable before their due time. */
  readonly scheduled = new Heap<Entry>((a, b) => a.job.scheduledAt < b.job.scheduledAt);
  /** All that wait, the earliest due first. */
  readonly waitingByDueTime = new Heap<Entry, 'dueIndex'>((a, b) => a.job.scheduledAt < b.job.scheduledAt, 'dueIndex');
  /** Null unless it is paused. */
  paused: PausedQueue | null = null;
  /** The jobs of an owner, and those with an error, by status. */
  readonly selections = new Selections<Entry>();
  readonly rosters = new Map(JOB_STATUSES.map((status) => [status, new Roster<Entry>()]));

  readonly #stepMs: number;

  /** @param agingMs by how much waiting raises a job by one step of priority; 0 for never */
  constructor(
    readonly name: string,
    agingMs: number,
  ) {
    this.#stepMs = agingMs === 0 ? NEVER_MS : agingMs;
  }

  /** It does not change as time passes: who waits stays ahead of who comes later. */
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

  /** The next claimable job, after moving those whose time has come. */
  next(now: number): Entry | undefined {
    if (this.paused) return undefined;
    for (let due = this.scheduled.peek(); due && due.job.scheduledAt <= now; due = this.scheduled.peek()) {
      this.scheduled.remove(due);
      this.ready.push(due);
    }
    return this.ready.peek();
  }

  /** When the first of those that wait for their time comes due; never, while it is paused. */
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
