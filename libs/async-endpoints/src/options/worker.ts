import { randomUUID } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import { LONGEST_TIMER_MS } from '../job/bounds.js';
import { flag, integer, option, type OptionsOf, text } from './rules.js';

export const WORKER = {
  /**
   * The name of this worker in the jobs that it runs and in the log. `@` and the host name are added when the name does not
   * contain the host name. Default: host, process id and a random part.
   */
  workerId: option(() => `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`, text(1, 200)),
  /** The most jobs that this worker runs at once, 1 to 10,000. Default: the number of processors. */
  maxConcurrency: option(availableParallelism, integer(1, 10_000)),
  /** The most jobs that one call to the store claims, 1 to 10,000. Free slots limit it, too. Default 10,000. */
  maxClaimBatchSize: option(() => 10_000, integer(1, 10_000)),
  /** How often the worker looks for jobs without a notification, in ms: a fallback for missed notifications. Default 5000. */
  pollingIntervalMs: option(() => 5_000, integer(10, 3_600_000)),
  /** How long a claim is valid without a heartbeat, in ms. The worker sends one every third of it. Default 15,000. */
  leaseMs: option(() => 15_000, integer(100, 3_600_000)),
  /** How long running jobs may continue after a shutdown began, in ms. Then they are aborted. Default 30,000. */
  drainTimeoutMs: option(() => 30_000, integer(0, LONGEST_TIMER_MS)),
  /** How long a handler may continue after its signal was aborted before the worker gives up its slot, in ms. Default 2000. */
  abortGraceMs: option(() => 2_000, integer(0, 3_600_000)),
  /**
   * Whether the application's global guards, interceptors, pipes and filters run around handlers, too. `host.getType()` is
   * `async-job` in them. Most are made for HTTP. Default false.
   */
  globalEnhancers: option(() => false, flag()),
  /**
   * Whether a run is aborted with `CLAIM_LOST` as soon as its lease is over by this worker's own clock. With `false`, runs
   * continue while the store is unreachable. They are aborted when the store replies that another worker has the job. Default
   * false.
   */
  abortOnLeaseEnd: option(() => false, flag()),
  /** Whether the worker starts with the application. Otherwise, call `JobWorker.start()`. Default true. */
  autoStart: option(() => true, flag()),
  /** The name of the application's release, shown by `workers()` and `npx async-endpoints workers`. Default: nothing. */
  version: option(() => '', text(0, 100)),
};

export type WorkerOptions = OptionsOf<typeof WORKER>;

export const RECOVERY = {
  /** Whether this worker recovers the jobs of workers that died. Default true. */
  enabled: option(() => true, flag()),
  /** How often this worker recovers jobs, in ms. It purges jobs in every third of these sweeps. Default 5000. */
  sweepIntervalMs: option(() => 5_000, integer(10, 86_400_000)),
  /** How many times a job's worker may die before the job fails with `WORKER_CRASHED`. Default 3. */
  maxCrashes: option(() => 3, integer(1, 1_000)),
  /** The most jobs that one call to the store recovers or purges. Default 100. */
  batchSize: option(() => 100, integer(1, 10_000)),
};

export type RecoveryOptions = OptionsOf<typeof RECOVERY>;
