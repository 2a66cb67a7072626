import { Inject, Injectable, Logger } from '@nestjs/common';
import { HandlerRegistry, type RegisteredHandler } from '../handlers/handler-registry.js';
import { AsyncEndpointsError } from '../job/errors.js';
import type { Claim } from '../job/job.js';
import type { Settlement, Verdict } from '../job/lifecycle.js';
import { announce, publish, type RunOutcome } from '../observability/channels.js';
import { OPTIONS, type ResolvedOptions } from '../options.js';
import { Batcher } from '../store/batcher.js';
import { JobStore } from '../store/job-store.js';
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
  readonly #jobs = new Set<Promise<void>>();
  #slots = new Slots(0, new Map());
  #waiting = new AbortController();
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
    this.#settlements = new Batcher((settlements) => store.settle(settlements));
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

  /** Claims held at most, those on their way to being settled included. */
  get #unsettledLimit(): number {
    return 2 * this.options.worker.maximumConcurrency;
  }

  async start(): Promise<void> {
    const { names } = this.handlers;
    if (this.#started || this.#stopping || names.length === 0) return;
    this.#started = true;
    const concurrency = names.map((name) => [name, this.#handler(name).policy.concurrency] as const);
    this.#slots = new Slots(this.options.worker.maximumConcurrency, new Map(concurrency));
    await this.#keeper.open();
    this.#recovery.start();
    this.#claiming.start();
  }

  /** Does not wait: what runs goes on. */
  stopClaiming(): void {
    this.#stopping = true;
    this.#waiting.abort();
    void this.#claiming.stop();
  }

  /** Lets running jobs end within the drain budget, tells the rest to end, and gives back what is left. */
  async drain(): Promise<void> {
    this.stopClaiming();
    if (!this.#started) return;
    await this.#claiming.stop();
    const budget = setTimeout(() => this.#keeper.shutDown(), this.options.worker.drainTimeoutMs);
    while (this.#jobs.size > 0) await Promise.all(this.#jobs);
    clearTimeout(budget);
    await Promise.all([this.#recovery.stop(), this.#keeper.close()]);
  }

  async #turn(): Promise<void> {
    this.#turnedAt = performance.now();
    const { workerId: worker, leaseMs, maxClaimBatchSize } = this.options.worker;
    const room = Math.min(this.#slots.free, this.#unsettledLimit - this.#jobs.size);
    const limit = Math.min(room, maxClaimBatchSize);
    const slots = limit > 0 ? this.#slots.byName() : new Map<string, number>();
    if (slots.size === 0 || this.#stopping) return this.#waiting.abort();
    const claims = await this.store.claim({ worker, leaseMs, limit, slots });
    this.#succeeded();
    for (const claim of claims) this.#begin(claim, this.#turnedAt);
    if (claims.length < limit) this.#listen();
    else if (limit < room) this.#claiming.wake();
  }

  /** Has the loop woken when there is work for a slot that is free. */
  #listen(): void {
    this.#waiting.abort();
    const names = [...this.#slots.byName().keys()];
    if (names.length === 0 || this.#stopping) return;
    const waiting = (this.#waiting = new AbortController());
    void this.store.waitForWork(names, waiting.signal).then(() => {
      if (!waiting.signal.aborted) this.#claiming.wake();
    });
  }

  #begin(claim: Claim, claimedAt: number): void {
    const { name } = claim.job;
    const handler = this.#handler(name);
    const run = this.#keeper.hold(claim, handler.policy.timeoutMs, claimedAt);
    this.#slots.take(name);
    const job = this.#work(run, handler).finally(() => {
      this.#keeper.drop(run);
      this.#jobs.delete(job);
      this.#claiming.wake();
    });
    this.#jobs.add(job);
  }

  async #work(run: Run, handler: RegisteredHandler): Promise<void> {
    const { job } = run.claim;
    const outcome = await this.#perform(run, handler);
    // The slot is free while the settlement is on its way: the store works while the next handler does.
    this.#slots.give(job.name);
    this.#claiming.wake();
    if (outcome.verdict) await this.#settle(run, outcome.verdict, outcome.cause);
    else if (run.aborted?.code === 'CLAIM_LOST') publish('lose', { job, store: this.store, cause: outcome.cause });
  }

  async #perform(run: Run, handler: RegisteredHandler): Promise<RunOutcome> {
    // Claimed while shutdown began: as good as not claimed.
    if (this.#stopping) return { verdict: { verb: 'release' } };
    publish('claim', { job: run.claim.job, store: this.store });
    return announce('run', { claim: run.claim, store: this.store, work: () => runJob(run, handler) });
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
