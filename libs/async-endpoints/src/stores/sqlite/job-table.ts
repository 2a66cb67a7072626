import type { Claim, JobRecord, NewJob } from '../../job/job.js';
import * as lifecycle from '../../job/lifecycle.js';
import type { ClaimRequest, QueueLimits } from '../../store/job-store.js';
import {
  claimedValues,
  type ClaimableRow,
  insertedValues,
  type JobRow,
  recordOf,
  statusOf,
  updatedValues,
} from './rows.js';
import type { Statements } from './statements.js';
import { Tally, type Waiting } from './tally.js';
import { bytesOfNew } from '../sql/rows.js';
import { encodeText } from '../sql/text.js';

/** Larger than any priority. */
const ABOVE_ALL = 1_000;
/** Larger than any difference of times, and small enough for exact sums. */
const NEVER_MS = 2 ** 45;

function isFull({ count, bytes }: Waiting, maxCount: number | null | undefined, maxBytes: number | null | undefined) {
  return count >= (maxCount ?? Infinity) || bytes >= (maxBytes ?? Infinity);
}

interface Changed {
  readonly was: JobRecord;
  readonly is: JobRecord;
}

/**
 * Changes the table of jobs: record, index columns and tally together. Call all methods except the reads within a transaction.
 */
export class JobTable {
  readonly tally: Tally;
  readonly #stepMs: number;

  /**
   * @param agingMs the option `priorityAgingMs` of the store
   * @param changed called for each transition
   */
  constructor(
    private readonly statements: Statements,
    agingMs: number,
    private readonly changed: (change: Changed) => void,
  ) {
    this.tally = new Tally(statements);
    this.#stepMs = agingMs === 0 ? NEVER_MS : agingMs;
  }

  find(id: string): JobRow | undefined {
    return this.statements.find.get(id) as JobRow | undefined;
  }

  /** The queue limit that the job would exceed, if any. @param waiting the waiting jobs of all names together */
  reachedLimit(job: NewJob, { queueLimit, queueBytes }: QueueLimits, waiting: Waiting): 'total' | 'name' | null {
    if (isFull(waiting, queueLimit, queueBytes)) return 'total';
    if (job.queueLimit == null && job.queueBytes == null) return null;
    return isFull(this.tally.waiting(encodeText(job.name)), job.queueLimit, job.queueBytes) ? 'name' : null;
  }

  /** Returns the bytes of the waiting job. */
  insert(job: JobRecord, payload: string): number {
    const bytes = bytesOfNew({ ...job, payload });
    this.statements.insert.run(...insertedValues(job, payload, bytes));
    this.tally.add(encodeText(job.name), job.status, 1, bytes);
    return bytes;
  }

  /** Writes a changed job. */
  update(row: JobRow, was: JobRecord, is: JobRecord): JobRecord {
    this.statements.update.run(...updatedValues(is), row.seq);
    return this.#updated(row, was, is);
  }

  remove({ seq, name, status }: Pick<JobRow, 'seq' | 'name' | 'status'>): void {
    this.statements.remove.run(seq);
    this.tally.add(name, statusOf(status), -1, 0);
  }

  /**
   * Claims jobs of one name, ordered by `scheduledAt` minus the worth of the priority, then by larger priority, then by order of
   * submission.
   */
  claim(name: string, most: number, request: ClaimRequest, now: number): Claim[] {
    if (most === 0 || this.isPaused(name)) return [];
    const stored = encodeText(name);
    this.statements.promote.run(stored, now);
    const ready = [...this.#levels(name)].flatMap(
      ({ priority }) => this.statements.ready.all(stored, priority, most) as ClaimableRow[],
    );
    const place = (row: JobRow) => row.scheduled_at - row.priority * this.#stepMs;
    const inOrder = ready.toSorted((a, b) => place(a) - place(b) || b.priority - a.priority || a.seq - b.seq);
    return inOrder.slice(0, most).map((row) => {
      const was = recordOf(row);
      const job = lifecycle.claim(was, request, now);
      this.statements.claim.run(...claimedValues(job), row.seq);
      this.#updated(row, was, job);
      return { job, payload: row.payload, fence: job.fence };
    });
  }

  isPaused(name: string): boolean {
    return this.statements.isPaused.get(encodeText(name)) !== undefined;
  }

  nextReady(name: string, now: number): boolean {
    if (this.isPaused(name)) return false;
    return (
      this.statements.nextPriority.get(encodeText(name), ABOVE_ALL) !== undefined || this.#scheduledAt(name) <= now
    );
  }

  nextScheduledAt(names: Iterable<string>): number {
    const times = [...names].map((name) => (this.isPaused(name) ? Infinity : this.#scheduledAt(name)));
    return Math.min(Infinity, ...times);
  }

  /** The earliest `scheduledAt` of the waiting jobs of the name. */
  earliestDue(name: string): number {
    const ready = [...this.#levels(name)].map(({ scheduled_at: at }) => at);
    return Math.min(this.#scheduledAt(name), ...ready);
  }

  /** When the first of the jobs in progress was claimed. */
  earliestStart(name: string): number {
    return (
      (this.statements.earliestStart.get(encodeText(name)) as { started_at: number } | undefined)?.started_at ??
      Infinity
    );
  }

  /** The distinct priorities of the claimable jobs, each with its earliest `scheduledAt`. */
  *#levels(name: string): Generator<{ priority: number; scheduled_at: number }> {
    for (let below = ABOVE_ALL; ;) {
      const level = this.statements.nextPriority.get(encodeText(name), below) as
        { priority: number; scheduled_at: number } | undefined;
      if (!level) return;
      yield level;
      below = level.priority;
    }
  }

  #scheduledAt(name: string): number {
    const next = this.statements.nextScheduled.get(encodeText(name)) as { scheduled_at: number } | undefined;
    return next?.scheduled_at ?? Infinity;
  }

  #updated({ name, bytes }: JobRow, was: JobRecord, is: JobRecord): JobRecord {
    if (was.status !== is.status) {
      this.tally.add(name, was.status, -1, -bytesOf(was, bytes));
      this.tally.add(name, is.status, 1, bytesOf(is, bytes));
    }
    this.changed({ was, is });
    return is;
  }
}

/** The bytes of a waiting job: those of the submission, and those of its error and failed attempts. */
function bytesOf({ error, failedAttempts }: JobRecord, submitted: number): number {
  if (error === null && failedAttempts.length === 0) return submitted;
  return submitted + Buffer.byteLength(JSON.stringify([error, failedAttempts]));
}
