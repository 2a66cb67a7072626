import { hostname } from 'node:os';
import { Inject, Injectable } from '@nestjs/common';
import { HandlerRegistry } from '../handlers/handler-registry.js';
import { ResultSerializer } from '../handlers/result-serializer.js';
import { OPTIONS, type ResolvedOptions } from '../options/options.js';
import { endsWithin } from '../store/in-time.js';
import { JobStore, type WorkerInfo } from '../store/job-store.js';
import { Claimer } from './claimer.js';
import { Loop } from './loop.js';
import { recoveryLoop } from './recovery.js';
import { RunningJobs } from './running-jobs.js';
import { Scheduler } from './scheduler.js';
import { ShutdownLog, StoreLog } from './worker-log.js';

/** How long a shutdown waits for the last calls to the store: the deadline of a call to Redis. */
const LAST_CALLS_MS = 5_000;

/** The parts of a started worker. */
interface Parts {
  readonly running: RunningJobs;
  readonly claimer: Claimer;
  readonly claiming: Loop;
  readonly recovery: Loop;
}

/**
 * The worker of this process. It claims what it can start now, runs each job and settles it once, recovers the jobs of dead workers,
 * and on shutdown lets running jobs finish and releases the rest. The module drives it: `start` after bootstrap, `stopClaiming` and
 * `drain` on shutdown.
 */
@Injectable()
export class JobWorker {
  readonly #log = new StoreLog();
  #parts: Parts | undefined;
  #startedAt = 0;
  #stopping = false;
  #drained: Promise<void> | undefined;
  #turnedAt = performance.now();

  constructor(
    @Inject(JobStore) private readonly store: JobStore,
    @Inject(HandlerRegistry) private readonly handlers: HandlerRegistry,
    @Inject(ResultSerializer) private readonly results: ResultSerializer,
    @Inject(Scheduler) private readonly scheduler: Scheduler,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Whether the worker claims jobs. False in `role: 'api'` and without handlers. */
  get isStarted(): boolean {
    return this.#parts !== undefined;
  }

  /** True from the beginning of the shutdown, in every role. */
  get isStopping(): boolean {
    return this.#stopping;
  }

  /** The job names that it claims now: those of its handlers, from the start until the shutdown begins. */
  get names(): string[] {
    return this.isStarted && !this.#stopping ? this.handlers.names : [];
  }

  /** The number of jobs that run here now. */
  get running(): number {
    return this.#parts?.running.slots.running ?? 0;
  }

  /** The most jobs that can run here at once. */
  get slots(): number {
    return this.options.worker.maxConcurrency;
  }

  /** How long ago the claim loop last made a turn, whether or not the store replied. */
  get lastTurnAgeMs(): number {
    return performance.now() - this.#turnedAt;
  }

  /**
   * Begins to claim. The module calls it unless `worker.autoStart` is false. Does nothing in a process without handlers, after
   * the first call, and during shutdown.
   */
  async start(): Promise<void> {
    if (this.isStarted || this.#stopping || this.handlers.names.length === 0) return;
    this.#startedAt = Date.now();
    const { running, recovery, claiming } = (this.#parts = this.#assemble());
    await Promise.all([this.results.open(), running.keeper.open()]);
    recovery.start();
    claiming.start();
    this.scheduler.start();
  }

  /** Does not wait: running jobs continue. */
  stopClaiming(): void {
    this.#stopping = true;
    this.#parts?.running.stop();
    this.#parts?.claimer.stop();
    void this.#parts?.claiming.stop();
    void this.scheduler.stop();
  }

  /**
   * Lets running jobs finish within the drain budget, aborts the rest, and releases the jobs that still run after the grace.
   * Takes at most `drainTimeoutMs`, `abortGraceMs` and 5 s together, whatever handlers and the store do. Outcomes that the store
   * has not accepted by then are logged.
   */
  async drain(): Promise<void> {
    this.stopClaiming();
    if (this.#parts) await (this.#drained ??= this.#drain(this.#parts));
  }

  async #drain(parts: Parts): Promise<void> {
    const { runs, settlements } = parts.running;
    const { drainTimeoutMs, abortGraceMs } = this.options.worker;
    const log = new ShutdownLog(() => runs.size, this.options.worker);
    settlements.holdUntil(performance.now() + drainTimeoutMs + abortGraceMs);
    const budget = setTimeout(() => {
      if (runs.size > 0) log.abort();
      for (const run of runs) run.abort('SHUTTING_DOWN');
    }, drainTimeoutMs);
    await endsWithin(drainTimeoutMs + abortGraceMs + LAST_CALLS_MS, this.#finish(parts));
    clearTimeout(budget);
    log.end(runs);
  }

  async #finish({ running, claimer, claiming, recovery }: Parts): Promise<void> {
    await Promise.all([claiming.stop(), this.scheduler.stop()]);
    running.begin(await claimer.rest());
    await running.runs.ended();
    await Promise.all([recovery.stop(), running.keeper.close()]);
    // When this fails, the registration of the worker expires.
    await this.store.unregister(this.options.worker.workerId).catch(() => {});
  }

  #assemble(): Parts {
    const { store } = this;
    const { worker, recovery } = this.options;
    const onError = (error: unknown) => this.#log.failed(error);
    const claiming = new Loop(() => this.#turn(), { intervalMs: worker.pollingIntervalMs, onError });
    const wake = () => claiming.wake();
    const running = new RunningJobs(store, this.handlers, this.results, worker, {
      error: onError,
      room: (name) => void (claimer.awaits(name) || wake()),
    });
    // The worker holds at most twice as many claims as it has slots, including those that are being settled.
    const room = () => 2 * this.slots - running.runs.size;
    const claimer = new Claimer(store, running.slots, worker, { room, wake });
    const own = { renew: () => running.keeper.renewOverdue(), describe: () => this.#describe() };
    const sweeps = recoveryLoop(store, { ...recovery, leaseMs: worker.leaseMs }, own, onError);
    return { running, claimer, claiming, recovery: sweeps };
  }

  async #turn(): Promise<void> {
    const { running, claimer } = this.#parts as Parts;
    this.#turnedAt = performance.now();
    running.begin(await claimer.claim());
    this.#log.succeeded();
  }

  #describe(): WorkerInfo {
    const { workerId: id, version } = this.options.worker;
    const { names, slots } = this;
    const ended = this.#parts?.running.ended.latest();
    return { id, host: hostname(), pid: process.pid, version, slots, names, startedAt: this.#startedAt, ended };
  }
}
