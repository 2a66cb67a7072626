import { isWaiting, JOB_STATUSES, type JobRecord, type JobStatus, type NewJob } from '../../job/job.js';
import type { JobFilter, PausedQueue, QueueLimits, QueueStats } from '../../store/job-store.js';
import { matches, newestFirst } from '../../store/listing.js';
import { FinishedJobs } from './finished-jobs.js';
import { Heap } from './heap.js';
import { type Entry, Queue } from './queue.js';

/** Keeps each job in the indexes of its status. No operation reads all jobs. */
export class JobIndex {
  readonly #entries = new Map<string, Entry>();
  readonly #queues = new Map<string, Queue>();
  readonly #leases = new Heap<Entry>((a, b) => (a.job.leaseUntil as number) < (b.job.leaseUntil as number));
  readonly #finished: FinishedJobs;
  #number = 0;
  /** The number of status changes so far. */
  #entered = 0;
  #waiting = 0;
  #waitingBytes = 0;

  /** @param agingMs the option `priorityAgingMs` of the store; `maxFinishedBytes` is its option of that name */
  constructor(
    private readonly agingMs: number,
    maxFinishedBytes: number,
  ) {
    this.#finished = new FinishedJobs(maxFinishedBytes);
  }

  /** The queue limit that the job would exceed, if any. */
  reachedLimit(job: NewJob, { queueLimit, queueBytes }: QueueLimits): 'total' | 'name' | null {
    if (this.#waiting >= queueLimit || this.#waitingBytes >= (queueBytes ?? Infinity)) return 'total';
    const queue = this.#queues.get(job.name);
    if (!queue) return job.queueLimit === 0 ? 'name' : null;
    const isFull = queue.waiting >= (job.queueLimit ?? Infinity) || queue.waitingBytes >= (job.queueBytes ?? Infinity);
    return isFull ? 'name' : null;
  }

  find(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  add(job: JobRecord, payload: string): void {
    const places = { heapIndex: -1, dueIndex: -1, endIndex: -1, rosterNumber: 0, endNumber: 0 };
    const entry: Entry = { job, payload, number: ++this.#number, bytes: 0, ...places };
    this.#entries.set(job.id, entry);
    this.#enter(entry);
  }

  /** Replaces the record of a job and moves the job to the indexes of its new status. */
  move(entry: Entry, job: JobRecord): JobRecord {
    this.#leave(entry);
    entry.job = job;
    if (job.status === 'Completed') entry.payload = '';
    this.#enter(entry);
    return job;
  }

  /** Replaces the record of a job that stays in progress. */
  renew(entry: Entry, job: JobRecord): void {
    entry.job = job;
    this.#leases.update(entry);
  }

  delete(entry: Entry): void {
    this.#leave(entry);
    this.#entries.delete(entry.job.id);
  }

  nextReady(name: string, now: number): Entry | undefined {
    return this.#queues.get(name)?.next(now);
  }

  pause(name: string, pausedAt: number, pausedBy: string | null): void {
    this.#queue(name).paused ??= { name, pausedAt, pausedBy };
  }

  resume(name: string): void {
    this.#queue(name).paused = null;
  }

  get paused(): PausedQueue[] {
    const paused = [...this.#queues.values()].flatMap((queue) => queue.paused ?? []);
    return paused.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The earliest `scheduledAt` of the scheduled jobs of the names. */
  nextScheduledAt(names: Iterable<string>): number {
    let earliest = Infinity;
    for (const name of names) {
      earliest = Math.min(earliest, this.#queues.get(name)?.nextScheduledAt ?? Infinity);
    }
    return earliest;
  }

  /** The job in progress whose lease ends first. */
  get earliestLease(): Entry | undefined {
    return this.#leases.peek();
  }

  nextPurgeable(now: number): Entry | undefined {
    return this.#finished.purgeable(now);
  }

  /** @see FinishedJobs.surplus */
  get surplus(): Entry | undefined {
    return this.#finished.surplus;
  }

  stats(now: number): QueueStats[] {
    return [...this.#queues.values()].flatMap((queue) => queue.stats(now));
  }

  /**
   * Lists jobs, newest first: the job that came last into its status is the first. Reads a bounded number of jobs. Returns the
   * number before which the next page begins; null at the end.
   */
  list(filter: JobFilter, limit: number, before: number, now: number): { jobs: JobRecord[]; before: number | null } {
    const jobs: JobRecord[] = [];
    let looked = 0;
    let last = before;
    for (const entry of newestFirst(this.#lists(filter, before), (a, b) => a.rosterNumber > b.rosterNumber)) {
      if (jobs.length === limit || looked++ === LOOKED_AT) return { jobs, before: last };
      last = entry.rosterNumber;
      if (matches(entry.job, filter, now)) jobs.push(entry.job);
    }
    return { jobs, before: null };
  }

  #lists(filter: JobFilter, before: number): Generator<Entry>[] {
    const isSelected = filter.owner !== undefined || filter.errorCode !== undefined;
    const queues = filter.name === undefined ? [...this.#queues.values()] : [this.#queues.get(filter.name)];
    const statuses = filter.status === undefined ? JOB_STATUSES : [filter.status];
    return queues.flatMap((queue) =>
      statuses.flatMap((status) => {
        const roster = isSelected ? queue?.selections.of(status, filter) : queue?.roster(status);
        return roster?.before(before) ?? [];
      }),
    );
  }

  #enter(entry: Entry): void {
    const { name, status } = entry.job;
    const queue = this.#queue(name);
    if (status !== 'InProgress') entry.bytes = bytesOf(entry.job, entry.payload);
    queue.roster(status).append(entry, ++this.#entered);
    queue.selections.enter(entry);
    if (isWaiting(status)) {
      this.#waiting++;
      this.#waitingBytes += entry.bytes;
      queue.waitingByDueTime.push(entry);
    }
    this.#heapOf(queue, status).push(entry);
  }

  #leave(entry: Entry): void {
    const { name, status } = entry.job;
    const queue = this.#queue(name);
    queue.roster(status).remove(entry);
    queue.selections.leave(entry);
    if (isWaiting(status)) {
      this.#waiting--;
      this.#waitingBytes -= entry.bytes;
      queue.waitingByDueTime.remove(entry);
    }
    const cameDue = status === 'Scheduled' && queue.ready.has(entry);
    (cameDue ? queue.ready : this.#heapOf(queue, status)).remove(entry);
  }

  #queue(name: string): Queue {
    let queue = this.#queues.get(name);
    if (!queue) this.#queues.set(name, (queue = new Queue(name, this.agingMs)));
    return queue;
  }

  #heapOf(queue: Queue, status: JobStatus): Heap<Entry> | FinishedJobs {
    if (status === 'Queued') return queue.ready;
    if (status === 'Scheduled') return queue.scheduled;
    return status === 'InProgress' ? this.#leases : this.#finished;
  }
}

/** The most jobs that are read for a page. */
const LOOKED_AT = 1_000;

/** The approximate memory of a record with its index entries, without the variable parts. */
const RECORD_BYTES = 720;

/**
 * The approximate memory of a job in bytes: `RECORD_BYTES` and, in UTF-8, everything that clients and handlers can make large.
 */
export function bytesOf(job: JobRecord, payload: string): number {
  const { result, error, failedAttempts, progress, owner, fingerprint } = job;
  const attempts = failedAttempts.length > 0 ? JSON.stringify(failedAttempts) : null;
  const carried = lengthOf(payload) + lengthOf(result) + lengthOf(error && JSON.stringify(error)) + lengthOf(attempts);
  return RECORD_BYTES + carried + lengthOf(progress?.message) + lengthOf(owner) + lengthOf(fingerprint);
}

function lengthOf(text: string | null | undefined): number {
  return text ? Buffer.byteLength(text) : 0;
}
