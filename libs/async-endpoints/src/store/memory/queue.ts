import { JOB_STATUSES, type JobRecord, type JobStatus } from '../../job/job.js';
import type { QueueStats } from '../job-store.js';
import { Heap, type HeapItem } from './heap.js';
import { Roster, type RosterItem } from './roster.js';

/** A job's present record and where the indexes hold it: always in one heap and one roster; by due time while it waits. */
export interface Entry extends HeapItem, HeapItem<'dueIndex'>, RosterItem {
  job: JobRecord;
  /** Dropped on completion: nothing runs a completed job again. */
  input: string;
  /** Order of submission. */
  readonly number: number;
}

/** The jobs of one name. */
export class Queue {
  /** Claimable: larger priority first, then earlier due time, then order of submission. */
  readonly ready = new Heap<Entry>(
    (a, b) =>
      a.job.priority > b.job.priority ||
      (a.job.priority === b.job.priority &&
        (a.job.dueAt < b.job.dueAt || (a.job.dueAt === b.job.dueAt && a.number < b.number))),
  );
  /** Not claimable before their due time. */
  readonly scheduled = new Heap<Entry>((a, b) => a.job.dueAt < b.job.dueAt);
  /** All that wait, the earliest due first. */
  readonly waitingByDueTime = new Heap<Entry, 'dueIndex'>((a, b) => a.job.dueAt < b.job.dueAt, 'dueIndex');
  readonly rosters = new Map(JOB_STATUSES.map((status) => [status, new Roster<Entry>()]));

  constructor(readonly name: string) {}

  roster(status: JobStatus): Roster<Entry> {
    return this.rosters.get(status) as Roster<Entry>;
  }

  get waiting(): number {
    return this.waitingByDueTime.size;
  }

  /** The next claimable job, after moving those whose time has come. */
  next(now: number): Entry | undefined {
    for (let due = this.scheduled.peek(); due && due.job.dueAt <= now; due = this.scheduled.peek()) {
      this.scheduled.remove(due);
      this.ready.push(due);
    }
    return this.ready.peek();
  }

  stats(now: number): QueueStats[] {
    return [...this.rosters].flatMap(([status, { size, oldest }]) =>
      oldest ? [{ name: this.name, status, count: size, oldestAgeMs: this.#oldestAge(status, oldest, now) }] : [],
    );
  }

  #oldestAge(status: JobStatus, oldest: Entry, now: number): number | null {
    if (isWaiting(status)) return Math.max(now - (this.waitingByDueTime.peek() as Entry).job.dueAt, 0);
    return status === 'InProgress' ? now - (oldest.job.startedAt as number) : null;
  }
}

export function isWaiting(status: JobStatus): boolean {
  return status === 'Queued' || status === 'Scheduled';
}
