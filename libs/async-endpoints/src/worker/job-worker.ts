import { hostname } from 'node:os';
import { Inject, Injectable } from '@nestjs/common';
import { publish } from '../events/channels.js';
import { RUN_MIDDLEWARE, type RunEnd } from '../events/middleware.js';
import { HandlerRegistry, type RegisteredHandler } from '../handlers/handler-registry.js';
import { ResultSerializer } from '../handlers/result-serializer.js';
import { OPTIONS, type ResolvedOptions } from '../options/options.js';
import { JobStore, type WorkerInfo } from '../store/job-store.js';
import { type Claimed, Claimer } from './claimer.js';
import { LeaseKeeper } from './lease-keeper.js';
import { Loop, Wait } from './loop.js';
import { recoveryLoop } from './recovery.js';
import { runJob } from './run-job.js';
import type { Run } from './run.js';
import { Scheduler } from './scheduler.js';
import { Settlements } from './settlements.js';
import { Slots } from './slots.js';
import { ShutdownLog, StoreLog } from './worker-log.js';

/** How long a shutdown waits for the last calls to the store, when all else is over: as long as a call to Redis may take. */
const LAST_CALLS_MS = 5_000;

/**
 * The hosted worker. Claims what it can start now, runs each job, settles each exactly once; takes back what other
 * workers left; on shutdown lets running jobs end and gives back the rest. The module drives it:
 * `start` after bootstrap, `stopClaiming` and `drain` on shutdown.
 */
@Injectable()
export class JobWorker {
  readonly #log = new StoreLog();
  readonly #claiming: Loop;
  readonly #recovery: Loop;
  readonly #keeper: LeaseKeeper;
  readonly #settlements: Settlements;
  readonly #jobs = new Map<Run, Promise<void>>();
  #slots = new Slots(0, new Map());
  #claimer: Claimer;
  #started = false;
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
  ) {
    const { worker, recovery } = options;
    const onError = (error: unknown) => this.#log.failed(error);
    this.#claiming = new Loop(() => this.#turn(), { intervalMs: worker.pollingIntervalMs, onError });
    this.#keeper = new LeaseKeeper(store, { ...worker, onError });
    const own = { renew: () => this.#keeper.renewOverdue(), describe: () => this.#describe() };
    this.#recovery = recoveryLoop(store, { ...recovery, leaseMs: worker.leaseMs }, own, onError);
    this.#settlements = new Settlements(store, onError);
    this.#claimer = this.#claimerOf(this.#slots);
  }

  /** Whether it claims jobs at all: not in `role: 'api'`, and not without handlers. */
  get isStarted(): boolean {
    return this.#started;
  }

  /** True from the moment shutdown begins, in every role. */
  get isStopping(): boolean {
    return this.#stopping;
  }

  /** The names of the jobs that it claims now: those of its handlers, from its start until shutdown begins. */
  get names(): string[] {
    return this.#started && !this.#stopping ? this.handlers.names : [];
  }

  /** Jobs running here now. */
  get running(): number {
    return this.#slots.running;
  }

  /** The most jobs that run here at once. */
  get slots(): number {
    return this.options.worker.maxConcurrency;
  }

  /** How long ago the claim loop last came round, whether or not the store answered it. */
  get lastTurnAgeMs(): number {
    return performance.now() - this.#turnedAt;
  }

  /**
   * Begins to claim, which the module does by itself unless `worker.autoStart` is false. Does nothing in a process without
   * handlers, when it has started before, and during shutdown.
   */
  async start(): Promise<void> {
    const { names } = this.handlers;
    if (this.#started || this.#stopping || names.length === 0) return;
    this.#started = true;
    this.#startedAt = Date.now();
    const concurrency = names.map((name) => [name, this.#handler(name).policy.concurrency] as const);
    this.#slots = new Slots(this.options.worker.maxConcurrency, new Map(concurrency));
    this.#claimer = this.#claimerOf(this.#slots);
    await Promise.all([this.results.open(), this.#keeper.open()]);
    this.#recovery.start();
    this.#claiming.start();
    this.scheduler.start();
  }

  /** Does not wait: what runs goes on. */
  stopClaiming(): void {
    this.#stopping = true;
    this.#claimer.stop();
    void this.scheduler.stop();
    void this.#claiming.stop();
  }

  /**
   * Lets running jobs end within the drain budget, tells the rest to end, and gives back what is left. Takes no longer than
   * `drainTimeoutMs`, `abortGraceMs` and 5 s together, whatever handlers and store do; outcomes that the store has not taken by
   * then are logged.
   */
  async drain(): Promise<void> {
    this.stopClaiming();
    if (this.#started) await (this.#drained ??= this.#drain());
  }

  async #drain(): Promise<void> {
    const { drainTimeoutMs, abortGraceMs } = this.options.worker;
    const log = new ShutdownLog(() => this.#jobs.size, this.options.worker);
    this.#settlements.holdUntil(performance.now() + drainTimeoutMs + abortGraceMs);
    const budget = setTimeout(() => {
      if (this.#jobs.size > 0) log.abort();
      this.#keeper.shutDown();
    }, drainTimeoutMs);
    const end = new Wait(drainTimeoutMs + abortGraceMs + LAST_CALLS_MS);
    await Promise.race([this.#finish(), end.ended]);
    end.end();
    clearTimeout(budget);
    log.end(this.#jobs.keys());
  }

  async #finish(): Promise<void> {
    await Promise.all([this.#claiming.stop(), this.scheduler.stop()]);
    this.#begin(await this.#claimer.rest());
    while (this.#jobs.size > 0) await Promise.all(this.#jobs.values());
    await Promise.all([this.#recovery.stop(), this.#keeper.close()]);
    await this.store.unregister(this.options.worker.workerId).catch(() => {}); // then it is forgotten as it falls silent
  }

  #describe(): WorkerInfo {
    const { workerId: id, version } = this.options.worker;
    const { names, slots } = this;
    return { id, host: hostname(), pid: process.pid, version, slots, names, startedAt: this.#startedAt };
  }

  async #turn(): Promise<void> {
    this.#turnedAt = performance.now();
    this.#begin(await this.#claimer.claim());
    this.#log.succeeded();
  }

  /** No more than twice as many claims as slots are held, those on their way to being settled included. */
  #claimerOf(slots: Slots): Claimer {
    const room = () => 2 * this.slots - this.#jobs.size;
    return new Claimer(this.store, slots, this.options.worker, { room, wake: () => this.#claiming.wake() });
  }

  #begin({ claims, askedAt }: Claimed): void {
    // An answer that took as long as the lease: others may have the jobs by now.
    const isLate = claims.length > 0 && performance.now() >= askedAt + this.options.worker.leaseMs;
    for (const claim of claims) {
      const run = this.#keeper.hold(claim, this.#handler(claim.job.name).policy.timeoutMs, askedAt);
      this.#jobs.set(run, this.#work(run, isLate));
    }
  }

  async #work(run: Run, isLate: boolean): Promise<void> {
    const { job } = run.claim;
    try {
      const { outcome, cause } = await this.#perform(run, isLate);
      // The slot is free while the settlement is on its way: the store works while the next handler does.
      this.#slots.give(job.name);
      this.#freed(job.name);
      if (outcome) await this.#settlements.settle(run, outcome, cause);
      else if (run.aborted?.code === 'CLAIM_LOST') publish('lose', { job, store: this.store, cause });
    } finally {
      this.#keeper.drop(run);
      this.#jobs.delete(run);
      this.#freed(job.name);
    }
  }

  /** There is room for another job of the name. */
  #freed(name: string): void {
    if (!this.#claimer.awaits(name)) this.#claiming.wake();
  }

  #perform(run: Run, isLate: boolean): RunEnd | Promise<RunEnd> {
    // Claimed while shutdown began: as good as not claimed.
    if (this.#stopping || isLate) return { outcome: { verb: 'release' } };
    const { claim } = run;
    publish('claim', { job: claim.job, store: this.store });
    return RUN_MIDDLEWARE.run({ store: this.store, claim }, () =>
      runJob(run, this.#handler(claim.job.name), this.results, () => this.#stopping),
    );
  }

  #handler(name: string): RegisteredHandler {
    return this.handlers.get(name) as RegisteredHandler;
  }
}
