import { type FSWatcher, watch } from 'node:fs';
import type { JobRecord } from '../../job/job.js';
import type { JobChange, Topic } from '../../store/job-store.js';
import { Subscribers } from '../../store/subscriptions.js';
import type { WorkSignal } from '../../store/work-signal.js';
import type { JobTable } from './job-table.js';
import { recordOf, statusOf } from './rows.js';
import type { Statements } from './statements.js';
import { decodeText } from '../sql/text.js';

/** How often the file is read even when the operating system has reported no change. */
const POLL_MS = 2_000;
/** How soon the file is read after the operating system has reported a change. */
const SOON_MS = 1;
/** Under steady changes, the file is read once in this time. */
const TOGETHER_MS = 5;

/**
 * Notifies the subscribers and waiting workers of this process: of its own changes when they are durable, and of the changes of
 * other processes when the file changes. It watches the file only while there are subscribers or waiters.
 */
export class Changes {
  readonly #subscribers = new Subscribers();
  /** The latest notified version of each job with a subscription. */
  readonly #notified = new Map<string, number>();
  #dataVersion: unknown;
  #lastRevocation = 0;
  #watcher: FSWatcher | undefined;
  #poll: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  #soonMs = 0;
  #lookedAt = 0;

  constructor(
    private readonly path: string,
    private readonly statements: Statements,
    private readonly jobs: JobTable,
    private readonly work: WorkSignal,
  ) {
    this.#dataVersion = this.#readVersion();
    this.#lastRevocation = (statements.lastRevocation.get() as { seq: number }).seq;
  }

  subscribe(topic: Topic, listener: (change: JobChange) => void): () => void {
    const remove = this.#subscribers.add(topic, listener);
    if ('job' in topic) {
      const job = this.jobs.find(topic.job);
      if (job && !this.#notified.has(topic.job)) this.#notified.set(topic.job, job.version);
    }
    this.watch();
    return () => {
      remove();
      if ('job' in topic && !this.#subscribers.hasFor(topic.job)) this.#notified.delete(topic.job);
    };
  }

  /** Notifies of a durable change by this process. */
  own(job: JobRecord): void {
    if (this.#subscribers.hasFor(job.id)) this.#notify(job);
    this.work.arrived(job);
  }

  /** Notifies of a durable revocation by this process, which is then not read from the file again. */
  ownRevocation(seq: number, worker: string, change: JobChange): void {
    if (seq === this.#lastRevocation + 1) this.#lastRevocation = seq;
    this.#subscribers.notifyWorker(worker, change);
  }

  /** Called when a worker begins to wait. */
  watch(): void {
    if (this.#poll) return;
    try {
      this.#watcher = watch(`${this.path}-wal`, () => this.#changed());
      this.#watcher.on('error', () => this.#watcher?.close());
      this.#watcher.unref();
    } catch {
      // the file is read every 2 s in any case
    }
    this.#poll = setInterval(() => this.#lookSafely(), POLL_MS);
    this.#poll.unref();
    this.#lookSoon(SOON_MS); // the file may have changed before, by a commit that is not visible yet
  }

  close(): void {
    this.#watcher?.close();
    clearInterval(this.#poll);
    clearTimeout(this.#soon);
    this.#poll = this.#soon = this.#watcher = undefined;
  }

  /** An event looks soon, also while a later look is due. */
  #changed(): void {
    const afterMs = performance.now() - this.#lookedAt < TOGETHER_MS ? TOGETHER_MS : SOON_MS;
    if (this.#soonMs > afterMs) {
      clearTimeout(this.#soon);
      this.#soon = undefined;
    }
    this.#lookSoon(afterMs);
  }

  /**
   * The file changes before a commit is durable and visible, so it is read again and again, each time after twice the time, until the
   * poll takes over. A change that is visible proves nothing: a checkpoint looks like one, and the commit may still be on its way.
   */
  #lookSoon(afterMs: number): void {
    if (this.#soon) return;
    this.#soonMs = afterMs;
    this.#soon = setTimeout(() => {
      this.#soon = undefined;
      this.#lookSafely();
      if (this.#poll && afterMs < POLL_MS) this.#lookSoon(2 * afterMs);
    }, afterMs).unref();
  }

  /**
   * Runs in a timer, where an error would end the process. On an error it wakes the waiting workers, whose next call reports it.
   */
  #lookSafely(): void {
    try {
      this.#look();
    } catch {
      this.work.lookAgain();
    }
  }

  #look(): void {
    const { jobs } = this.#subscribers;
    if (jobs.length === 0 && !this.#subscribers.hasWorkers && !this.work.isAwaited) return this.close();
    this.#lookedAt = performance.now();
    const version = this.#readVersion();
    if (version === this.#dataVersion) return;
    this.#dataVersion = version;
    this.work.lookAgain();
    for (const id of jobs) this.#lookAt(id);
    if (this.#subscribers.hasWorkers) this.#notifyOfRevocations();
  }

  #lookAt(id: string): void {
    const row = this.jobs.find(id);
    if (row ? row.version !== this.#notified.get(id) : this.#notified.has(id)) {
      if (row) this.#notify(recordOf(row));
      else this.#subscribers.notifyOfJob({ id, status: null, version: 0 });
    }
    if (!row) this.#notified.delete(id);
  }

  #notify(job: JobRecord): void {
    this.#notified.set(job.id, job.version);
    this.#subscribers.notifyOfJob({ id: job.id, status: job.status, version: job.version, job });
  }

  #notifyOfRevocations(): void {
    const rows = this.statements.revocations.all(this.#lastRevocation) as Revocation[];
    for (const { seq, worker, id, status, version } of rows) {
      this.#lastRevocation = seq;
      this.#subscribers.notifyWorker(decodeText(worker), { id, status: statusOf(status), version });
    }
  }

  #readVersion(): unknown {
    return (this.statements.dataVersion.get() as { data_version: unknown }).data_version;
  }
}

interface Revocation {
  readonly seq: number;
  readonly worker: string;
  readonly id: string;
  readonly status: number;
  readonly version: number;
}
