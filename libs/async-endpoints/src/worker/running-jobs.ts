import { publish } from '../events/channels.js';
import { RUN_MIDDLEWARE, type RunEnd } from '../events/middleware.js';
import type { HandlerRegistry, RegisteredHandler } from '../handlers/handler-registry.js';
import type { ResultSerializer } from '../handlers/result-serializer.js';
import { AsyncEndpointsError } from '../job/errors.js';
import type { WorkerOptions } from '../options/options.js';
import type { JobStore } from '../store/job-store.js';
import type { Claimed } from './claimer.js';
import { EndedCounts } from './ended-counts.js';
import { LeaseKeeper } from './lease-keeper.js';
import { runJob } from './run-job.js';
import { Run, Runs } from './run.js';
import { Settlements } from './settlements.js';
import { Slots } from './slots.js';

/**
 * What runs in this worker: every claim from when it is made until the store has its outcome. Each job is run once and settled once,
 * and its events are published here.
 */
export class RunningJobs {
  readonly slots: Slots;
  /** Those whose handlers run, and those whose outcomes are on their way to the store. */
  readonly runs = new Runs();
  readonly keeper: LeaseKeeper;
  readonly settlements: Settlements;
  readonly ended = new EndedCounts();
  #isStopping = false;

  /** @param on `error`: called for each call to the store that failed; `room`: called when there is room for a job of the name */
  constructor(
    private readonly store: JobStore,
    private readonly handlers: HandlerRegistry,
    private readonly results: ResultSerializer,
    private readonly options: WorkerOptions,
    private readonly on: { error(error: unknown): void; room(name: string): void },
  ) {
    const concurrency = handlers.names.map((name) => [name, this.#handler(name).policy.concurrency] as const);
    this.slots = new Slots(options.maxConcurrency, new Map(concurrency));
    this.keeper = new LeaseKeeper(store, this.runs, { ...options, onError: on.error });
    this.settlements = new Settlements(store, on.error);
  }

  begin({ claims, askedAt }: Claimed): void {
    const { leaseMs, abortGraceMs: graceMs } = this.options;
    // When the reply took as long as a lease, other workers may have the jobs.
    const isLate = claims.length > 0 && performance.now() >= askedAt + leaseMs;
    for (const claim of claims) {
      const { timeoutMs } = this.#handler(claim.job.name).policy;
      const run = new Run(claim, { timeoutMs, leaseUntil: askedAt + leaseMs, graceMs }, this.keeper.report);
      this.keeper.keep(run);
      this.runs.add(run, this.#work(run, isLate));
    }
  }

  /** Claims that begin from now on are released. */
  stop(): void {
    this.#isStopping = true;
  }

  async #work(run: Run, isLate: boolean): Promise<void> {
    const { job } = run.claim;
    try {
      const { outcome, cause } = await this.#perform(run, isLate);
      // The slot is free while the settlement is on its way: the store works while the next handler does.
      this.slots.give(job.name);
      this.on.room(job.name);
      const lost = run.aborted?.code === 'CLAIM_LOST' ? 'lose' : null;
      const end = outcome ? await this.settlements.settle(run, outcome) : lost;
      if (end === 'complete' || end === 'fail') this.ended.count(job.name, end);
      const error = end === 'lose' ? new AsyncEndpointsError('CLAIM_LOST') : cause;
      if (end) publish(end, { job, store: this.store, cause: error });
    } finally {
      this.runs.delete(run);
      this.on.room(job.name);
    }
  }

  #perform(run: Run, isLate: boolean): RunEnd | Promise<RunEnd> {
    if (this.#isStopping || isLate) return { outcome: { verb: 'release' } };
    const { store } = this;
    const { claim } = run;
    publish('claim', { job: claim.job, store });
    return RUN_MIDDLEWARE.run({ store, claim }, () =>
      runJob(run, this.#handler(claim.job.name), this.results, () => this.#isStopping),
    );
  }

  #handler(name: string): RegisteredHandler {
    return this.handlers.get(name) as RegisteredHandler;
  }
}
