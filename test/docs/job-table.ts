import {
  decodeCursor,
  encodeCursor,
  isWaiting,
  type JobFilter,
  type JobPage,
  type JobRecord,
  matches,
  type NewJob,
  type PausedQueue,
  pausedAndEmpty,
  type QueueStats,
} from 'nestjs-async-endpoints/store';

/** In SQL, each field that a query looks at is a column of its own, with an index. */
export interface Row {
  job: JobRecord;
  payload: string;
  readonly number: number;
}

const STEP_MS = 60_000; // a job ranks one step of priority higher after each minute of waiting

/** The table of jobs, and its queries. */
export class JobTable {
  readonly rows = new Map<string, Row>();
  readonly paused = new Map<string, PausedQueue>();

  select(isWanted: (job: JobRecord) => boolean): Row[] {
    return [...this.rows.values()].filter(({ job }) => isWanted(job));
  }

  /** The next claimable job of a name. In SQL: `order by … limit 1 for update skip locked`. */
  next(name: string, now: number): Row | undefined {
    if (this.paused.has(name)) return undefined;
    const placeOf = ({ job }: Row) => job.scheduledAt - job.priority * STEP_MS;
    const due = this.select((job) => job.name === name && isWaiting(job.status) && job.scheduledAt <= now);
    return due.toSorted((a, b) => placeOf(a) - placeOf(b) || b.job.priority - a.job.priority || a.number - b.number)[0];
  }

  /** Whether the waiting jobs, of a name or of all names, have reached a limit. */
  isFull(name: string | null, { queueLimit, queueBytes }: Pick<NewJob, 'queueLimit' | 'queueBytes'>): boolean {
    const waiting = this.select((job) => isWaiting(job.status) && (name === null || job.name === name));
    const isTooLarge = typeof queueBytes === 'number' && bytesOf(waiting) >= queueBytes;
    return isTooLarge || waiting.length >= (queueLimit ?? Infinity);
  }

  /**
   * Newest first: the job that came last into its status is the first. The cursor is the place of the last job, so that a page costs
   * the same wherever it begins.
   */
  page(filter: JobFilter, { limit, cursor }: { limit: number; cursor?: string }, now: number): JobPage {
    const [at, id] = cursor === undefined ? [Infinity, ''] : decodeCursor<Place>(cursor, isPlace);
    const isNext = (job: JobRecord) => enteredAt(job) < at || (enteredAt(job) === at && job.id < id);
    const found = this.select((job) => isNext(job) && matches(job, filter, now)).map(({ job }) => job);
    const jobs = found.toSorted((a, b) => enteredAt(b) - enteredAt(a) || (a.id < b.id ? 1 : -1)).slice(0, limit);
    const last = jobs.at(-1);
    return { jobs, cursor: last && found.length > limit ? encodeCursor([enteredAt(last), last.id, '']) : null };
  }

  /** In SQL: `group by name, status`, over an index or over counters. */
  stats(now: number): QueueStats[] {
    const groups = new Map<string, Row[]>();
    for (const row of this.rows.values()) {
      const group = JSON.stringify([row.job.name, row.job.status]);
      groups.set(group, [...(groups.get(group) ?? []), row]);
    }
    const stats = [...groups.values()].map((rows) => this.#statsOf(rows, now));
    const isQueued = (paused: string) => stats.some(({ name, status }) => name === paused && status === 'Queued');
    return [...stats, ...[...this.paused.keys()].filter((name) => !isQueued(name)).map(pausedAndEmpty)];
  }

  #statsOf(rows: readonly Row[], now: number): QueueStats {
    const { name, status } = (rows[0] as Row).job;
    const earliest = (timeOf: (job: JobRecord) => number) => Math.min(...rows.map(({ job }) => timeOf(job)));
    const isPaused = this.paused.has(name);
    const counted = { name, status, count: rows.length, bytes: null, oldestAgeMs: null, isPaused };
    if (status === 'InProgress') return { ...counted, oldestAgeMs: now - earliest((job) => job.startedAt ?? now) };
    if (!isWaiting(status)) return counted;
    return { ...counted, bytes: bytesOf(rows), oldestAgeMs: Math.max(now - earliest((job) => job.scheduledAt), 0) };
  }
}

/** Where a page ended. Cursors have three parts. */
type Place = readonly [enteredAt: number, id: string, unused: ''];

/** When the job came into its present status. */
function enteredAt({ status, startedAt, lastUpdatedAt }: JobRecord): number {
  return status === 'InProgress' ? (startedAt ?? lastUpdatedAt) : lastUpdatedAt;
}

function isPlace([at, id]: readonly unknown[]): boolean {
  return Number.isInteger(at) && typeof id === 'string';
}

function bytesOf(rows: readonly Row[]): number {
  return rows.reduce((sum, { job, payload }) => sum + Buffer.byteLength(payload) + JSON.stringify(job).length, 0);
}
