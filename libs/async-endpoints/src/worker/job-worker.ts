import { Inject, Injectable, Logger } from '@nestjs/common';
import { HandlerRegistry, type RegisteredHandler } from '../handlers/handler-registry.js';
import { AsyncEndpointsError } from '../job/errors.js';
import type { Settlement, Verdict } from '../job/lifecycle.js';
import { announce, publish, type RunOutcome } from '../observability/channels.js';
import { OPTIONS, type ResolvedOptions } from '../options.js';
import { Batcher } from '../store/batcher.js';
import { JobStore } from '../store/job-store.js';
import { type Claimed, Claimer } from './claimer.js';
import { LeaseKeeper } from './lease-keeper.js';
import { Loop } from './loop.js';
import { recoveryLoop } from './recovery.js';
import type { Run } from './run.js';
import { runJob } from './run-job.js';
import { Slots } from './slots.js';

const SETTLE_AGAIN_MS = 500;
/**
 * The hosted worker. Claims what it can start now, runs each job, settles each exactly once; takes back what other
 * workers left; on shutdown lets running jobs end and gives back the rest. The module drives it:
 * `start` after bootstrap, `stopClaiming` and `drain` on shutdown.
 */
@Injectable()
export class JobWorker {
  readonly #logger = new Logger(JobWorker.name);
  readonly #claiming: Loop;
  readonly #recovery: Loop;
  readonly #keeper: LeaseKeeper;
  readonly #settlements: Batcher<Settlement, boolean>;
  readonly #jobs = new Map<Run, Promise<void>>();
  #slots = new Slots(0, new Map());
  #claimer: Claimer;
  #started = false;
  #stopping = false;
  #turnedAt = performance.now();
  #failing = false;

  constructor(
    @Inject(JobStore) private readonly store: JobStore,
    @Inject(HandlerRegistry) private readonly handlers: HandlerRegistry,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {
    const { worker } = options;
    const onError = (error: unknown) => this.#failed(error);
    this.#claiming = new Loop(() => this.#turn(), { intervalMs: worker.pollingIntervalMs, onError });
    this.#recovery = recoveryLoop(store, options.recovery, onError);
    this.#keeper = new LeaseKeeper(store, { ...worker, onError });
    this.#settlements = new Batcher((settlements) => store.settle(settlements), { overlap: 2 });
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

  /** Jobs running here now. */
  get running(): number {
    return this.#slots.running;
  }

  /** The most jobs that run here at once. */
  get slots(): number {
    return this.options.worker.maximumConcurrency;
  }

  /** How long ago the claim loop last came round, whether or not the store answered it. */
  get lastTurnAgeMs(): number {
    return performance.now() - this.#turnedAt;
  }

  async start(): Promise<void> {
    const { names } = this.handlers;
    if (this.#started || this.#stopping || names.length === 0) return;
    this.#started = true;
    const concurrency = names.map((name) => [name, this.#handler(name).policy.concurrency] as const);
    this.#slots = new Slots(this.options.worker.maximumConcurrency, new Map(concurrency));
    this.#claimer = this.#claimerOf(this.#slots);
    await this.#keeper.open();
    this.#recovery.start();
    this.#claiming.start();
  }

  /** Does not wait: what runs goes on. */
  stopClaiming(): void {
    this.#stopping = true;
    this.#claimer.stop();
    void this.#claiming.stop();
  }

  /** Lets running jobs end within the drain budget, tells the rest to end, and gives back what is left. */
  async drain(): Promise<void> {
    this.stopClaiming();
    if (!this.#started) return;
    await this.#claiming.stop();
    this.#begin(await this.#claimer.rest());
    const budget = setTimeout(() => this.#keeper.shutDown(), this.options.worker.drainTimeoutMs);
    while (this.#jobs.size > 0) await Promise.all(this.#jobs.values());
    clearTimeout(budget);
    await Promise.all([this.#recovery.stop(), this.#keeper.close()]);
  }

  async #turn(): Promise<void> {
    this.#turnedAt = performance.now();
    this.#begin(await this.#claimer.claim());
    this.#succeeded();
  }

  /** No more than twice as many claims as slots are held, those on their way to being settled included. */
  #claimerOf(slots: Slots): Claimer {
    const room = () => 2 * this.slots - this.#jobs.size;
    return new Claimer(this.store, slots, this.options.worker, { room, wake: () => this.#claiming.wake() });
  }

  #begin({ claims, askedAt }: Claimed): void {
    for (const claim of claims) {
      const run = this.#keeper.hold(claim, this.#handler(claim.job.name).policy.timeoutMs, askedAt);
      this.#jobs.set(run, this.#work(run));
    }
  }

  async #work(run: Run): Promise<void> {
    const { job } = run.claim;
    try {
      const outcome = await this.#perform(run);
      // The slot is free while the settlement is on its way: the store works while the next handler does.
      this.#slots.give(job.name);
      this.#freed(job.name);
      if (outcome.verdict) await this.#settle(run, outcome.verdict, outcome.cause);
      else if (run.aborted?.code === 'CLAIM_LOST') publish('lose', { job, store: this.store, cause: outcome.cause });
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

  #perform(run: Run): RunOutcome | Promise<RunOutcome> {
    // Claimed while shutdown began: as good as not claimed.
    if (this.#stopping) return { verdict: { verb: 'release' } };
    const { claim } = run;
    publish('claim', { job: claim.job, store: this.store });
    return announce('run', { claim, store: this.store, work: () => runJob(run, this.#handler(claim.job.name)) });
  }

  /** Tries until the store answers, or the claim cannot be ours any more. */
  async #settle(run: Run, verdict: Verdict, cause?: unknown): Promise<void> {
    const { job, token } = run.claim;
    for (;;) {
      try {
        const held = await this.#settlements.push({ id: job.id, name: job.name, token, ...verdict });
        if (held) return publish(verdict.verb, { job, store: this.store, cause });
        return publish('lose', { job, store: this.store, cause: new AsyncEndpointsError('CLAIM_LOST') });
      } catch (error) {
        this.#failed(error);
        if (performance.now() >= run.leaseUntil) return publish('lose', { job, store: this.store, cause: error });
        await new Promise((resolve) => setTimeout(resolve, SETTLE_AGAIN_MS));
      }
    }
  }

  #handler(name: string): RegisteredHandler {
    return this.handlers.get(name) as RegisteredHandler;
  }

  /** One line per change, not a flood. */
  #failed(error: unknown): void {
    if (!this.#failing) this.#logger.error('The job store does not answer; trying again until it does', error);
    this.#failing = true;
  }

  #succeeded(): void {
    if (this.#failing) this.#logger.log('The job store answers again');
    this.#failing = false;
  }
}
