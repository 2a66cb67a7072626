import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import {
  catchError,
  defer,
  exhaustMap,
  map,
  type Observable,
  of,
  share,
  Subject,
  takeUntil,
  timer,
  ReplaySubject,
} from 'rxjs';
import { JobManager } from '../jobs/job-manager.js';
import type { LiveWorker, PausedQueue, QueueStats } from '../store/job-store.js';
import { Throughput, type ThroughputHistory } from './throughput.js';

const EVERY_MS = 2_000;

/** The state of all queues and workers, as the overview shows it. */
export interface Snapshot {
  readonly at: number;
  readonly stats: readonly QueueStats[];
  readonly paused: readonly PausedQueue[];
  readonly workers: readonly LiveWorker[];
  readonly history: ThroughputHistory;
}

export interface StoreFailure {
  readonly at: number;
  readonly unavailable: true;
}

/** One reading of the store every two seconds for all streams of this process; none while nobody looks. */
@Injectable()
export class DashboardFeed implements OnModuleDestroy {
  /** Emits when the application shuts down: an open stream would keep its HTTP server from closing. */
  readonly closed = new Subject<void>();
  readonly #throughput = new Throughput();
  readonly snapshots: Observable<Snapshot | StoreFailure>;

  constructor(@Inject(JobManager) private readonly manager: JobManager) {
    this.snapshots = timer(0, EVERY_MS).pipe(
      exhaustMap(() => defer(() => this.#read()).pipe(catchError(() => of(failure())))),
      share({ connector: () => new ReplaySubject(1), resetOnRefCountZero: true }),
      takeUntil(this.closed),
    );
  }

  onModuleDestroy(): void {
    this.closed.next();
  }

  async #read(): Promise<Snapshot> {
    const [stats, paused, workers] = await Promise.all([
      this.manager.stats(),
      this.manager.paused(),
      this.manager.workers(),
    ]);
    const at = Date.now();
    return { at, stats, paused, workers, history: this.#throughput.add(at, stats) };
  }
}

function failure(): StoreFailure {
  return { at: Date.now(), unavailable: true };
}

/** As the messages of an event stream. */
export function asMessages(values: Observable<object>): Observable<{ data: object }> {
  return values.pipe(map((data) => ({ data })));
}
