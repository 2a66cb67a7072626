import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import {
  catchError,
  defer,
  distinctUntilChanged,
  exhaustMap,
  map,
  merge,
  type Observable,
  of,
  share,
  startWith,
  Subject,
  switchMap,
  takeUntil,
  timeout,
  timer,
  ReplaySubject,
  interval,
} from 'rxjs';
import { JobManager } from '../jobs/job-manager.js';
import type { LiveWorker, PausedQueue, QueueStats } from '../store/job-store.js';
import type { Message } from './messages.js';
import { OldestAges } from './oldest-ages.js';
import { type Throughput, throughputOf } from './throughput.js';

const EVERY_MS = 2_000;
/** A store that takes longer to answer is as good as away. */
const PATIENCE_MS = 10_000;
/** Proxies close streams on which nothing comes, and a page takes a silent one for lost. */
const PING_MS = 10_000;
/** How many jobs in progress are read to show what each worker runs. */
const MAX_RUNNING = 1_000;
const MAX_SHOWN_OF_A_WORKER = 20;

/** The state of all queues, as the overview shows it. */
export interface Snapshot {
  readonly at: number;
  readonly stats: readonly QueueStats[];
  readonly paused: readonly PausedQueue[];
  readonly workers: number;
  /** Of all workers. */
  readonly slots: number;
  readonly history: Throughput;
  /** The names whose oldest waiting job gets older and older. */
  readonly growing: readonly string[];
}

/** A worker, and the jobs that it runs. */
export interface BusyWorker extends Omit<LiveWorker, 'ended'> {
  readonly used: number;
  /** The oldest of them. */
  readonly running: readonly { readonly id: string; readonly name: string; readonly startedAt: number }[];
}

export interface WorkersSnapshot {
  readonly at: number;
  readonly workers: readonly BusyWorker[];
  /** Whether more jobs are in progress than were read. */
  readonly isCut: boolean;
}

export interface StoreFailure {
  readonly at: number;
  readonly unavailable: true;
}

/** Reads the store every two seconds for all streams of this process, and not at all without a stream. */
@Injectable()
export class DashboardFeed implements OnModuleDestroy {
  readonly snapshots: Observable<Snapshot | StoreFailure>;
  readonly workers: Observable<WorkersSnapshot | StoreFailure>;
  readonly #closed = new Subject<void>();
  readonly #acted = new Subject<void>();
  readonly #ages = new OldestAges();

  constructor(@Inject(JobManager) private readonly manager: JobManager) {
    this.snapshots = this.#shared(() => this.#read());
    this.workers = this.#shared(() => this.#readWorkers());
  }

  onModuleDestroy(): void {
    this.#closed.next();
  }

  /** As messages of an event stream, which ends with the application: an open one would keep its HTTP server from closing. */
  messages(values: Observable<object>): Observable<Message> {
    const pings = interval(PING_MS).pipe(map(() => ({ type: 'ping', data: '' })));
    return merge(values.pipe(map((data) => ({ data }))), pings).pipe(takeUntil(this.#closed));
  }

  /** The values; while the store does not answer, a failure instead. They begin anew when it answers again. */
  whileStoreAnswers<T extends object>(values: Observable<T>): Observable<T | StoreFailure> {
    return this.snapshots.pipe(
      map((snapshot) => 'unavailable' in snapshot),
      startWith(false),
      distinctUntilChanged(),
      switchMap((isAway): Observable<T | StoreFailure> => (isAway ? of(storeFailure()) : values)),
    );
  }

  /** Who acted sees at once what became of it. */
  lookAgain(): void {
    this.#acted.next();
  }

  #shared<T>(read: () => Promise<T>): Observable<T | StoreFailure> {
    return merge(timer(0, EVERY_MS), this.#acted).pipe(
      exhaustMap(() =>
        defer(read).pipe(
          timeout(PATIENCE_MS),
          catchError(() => of(storeFailure())),
        ),
      ),
      share({ connector: () => new ReplaySubject(1), resetOnRefCountZero: true }),
    );
  }

  async #read(): Promise<Snapshot> {
    const { manager } = this;
    const [stats, paused, workers] = await Promise.all([manager.stats(), manager.paused(), manager.workers()]);
    const at = Date.now();
    const slots = workers.reduce((sum, worker) => sum + worker.slots, 0);
    const history = throughputOf(workers, at);
    return { at, stats, paused, workers: workers.length, slots, history, growing: this.#ages.add(at, stats) };
  }

  async #readWorkers(): Promise<WorkersSnapshot> {
    const inProgress = this.manager.list({ status: 'InProgress' }, { limit: MAX_RUNNING });
    const [workers, { jobs, cursor }] = await Promise.all([this.manager.workers(), inProgress]);
    const busy = workers.map((worker) => {
      const running = jobs
        .filter((job) => job.worker === worker.id)
        .map(({ id, name, startedAt, createdAt }) => ({ id, name, startedAt: startedAt ?? createdAt }))
        .toSorted((a, b) => a.startedAt - b.startedAt);
      const { ended: _ended, ...known } = worker;
      return { ...known, used: running.length, running: running.slice(0, MAX_SHOWN_OF_A_WORKER) };
    });
    return { at: Date.now(), workers: busy, isCut: cursor !== null };
  }
}

function storeFailure(): StoreFailure {
  return { at: Date.now(), unavailable: true };
}
