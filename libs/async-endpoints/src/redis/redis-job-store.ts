import type { Claim, JobRecord, NewJob } from '../job/job.js';
import type { Settlement } from '../job/lifecycle.js';
import { STORE_NOTICE, type StoreNotice } from '../observability/channels.js';
import type {
  ClaimRequest,
  JobChange,
  JobFilter,
  JobPage,
  JobStore,
  QueueStats,
  Renewal,
  RenewalReply,
  Submission,
  Topic,
} from '../store/job-store.js';
import { auditJobs, type Deviation } from './audit.js';
import { auditKeys } from './audit-keys.js';
import { RedisChannels } from './keys.js';
import { Partitions } from './partitions.js';
import { RedisChanges } from './redis-changes.js';
import type { RedisConnectionOptions } from './redis-client.js';
import { RedisConnections } from './redis-connections.js';
import { RedisPartition } from './redis-partition.js';
import { addUp, redisStats } from './redis-stats.js';
import { RedisWorkSignal } from './redis-work-signal.js';

export interface RedisJobStoreOptions extends RedisConnectionOptions {
  /** What all keys begin with, so that applications can share a server. Default `ae`. */
  prefix?: string;
  /**
   * Over how many slots of a cluster jobs are spread, by their ids: 1 to 256, the same in every process, for good. Each
   * keeps its own order and an equal share of the queue limits, rounded up. Default 1.
   */
  partitions?: number;
  /** The clock instead of Redis's own, in ms since the epoch: for tests. */
  now?: () => number;
}

/**
 * Many processes, one truth: jobs in Redis 6.2 or newer. Each verb is one script of each partition that it concerns.
 * `docs/redis-layout.md` says what is where.
 */
export class RedisJobStore implements JobStore {
  readonly #connections: RedisConnections;
  readonly #partitions: Partitions;
  readonly #work: RedisWorkSignal;
  readonly #changes: RedisChanges;
  readonly #prefix: string;

  /** @throws AsyncEndpointsError `INVALID_OPTION` for a number of partitions that cannot be */
  constructor(options: RedisJobStoreOptions = {}) {
    const { prefix = 'ae', partitions = 1, now } = options;
    const time = now ? () => String(now()) : () => '';
    const channels = new RedisChannels(prefix);
    const notify = (message: string) => this.#notify(message);
    const connections = new RedisConnections(options, notify);
    this.#prefix = prefix;
    this.#connections = connections;
    this.#partitions = new Partitions(
      partitions,
      (partition) => new RedisPartition(connections, { prefix, partition, channels, notify }, time),
    );
    this.#work = new RedisWorkSignal(connections, this.#partitions.all);
    this.#changes = new RedisChanges(connections, channels, (ids) => this.#find(ids));
  }

  open(): Promise<void> {
    return this.#connections.open();
  }

  async close(): Promise<void> {
    await this.#work.close();
    await this.#connections.close();
  }

  ping(): Promise<void> {
    return this.#connections.ping(this.#partitions.all.map(({ keys }) => keys.counters));
  }

  submit(jobs: readonly NewJob[], { queueLimit }: { queueLimit: number }): Promise<Submission[]> {
    return this.#partitions.submit(jobs, queueLimit);
  }

  claim(request: ClaimRequest): Promise<Claim[]> {
    return this.#partitions.claim(request);
  }

  renew(renewals: readonly Renewal[]): Promise<RenewalReply[]> {
    return this.#partitions.each(renewals, idOf, (partition, some) => partition.renew(some));
  }

  settle(settlements: readonly Settlement[]): Promise<boolean[]> {
    return this.#partitions.each(settlements, idOf, (partition, some) => partition.settle(some));
  }

  cancel(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    return this.#partitions.each(ids, itself, (partition, some) => partition.cancel(some));
  }

  rerun(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    return this.#partitions.each(ids, itself, (partition, some) => partition.rerun(some));
  }

  recover(options: { limit: number; maxCrashes: number }): Promise<JobRecord[]> {
    return this.#partitions.recover(options);
  }

  purge(limit: number): Promise<number> {
    return this.#partitions.purge(limit);
  }

  find(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    return this.#find(ids);
  }

  list(filter: JobFilter, page: { limit: number; cursor?: string }): Promise<JobPage> {
    return this.#connections.answer(this.#partitions.list(filter, page));
  }

  async stats(): Promise<QueueStats[]> {
    const parts = await this.#connections.answer(
      Promise.all(this.#partitions.all.map((partition) => redisStats(partition))),
    );
    return addUp(parts.flat());
  }

  /**
   * Every job that is not in exactly the index its status says, every entry without a job, every wrong counter, every key
   * that nothing looks at and every one that should expire and does not, in words; nothing where all is well. Reads
   * everything: for tests and operators.
   */
  async audit(): Promise<Deviation[]> {
    const { commands } = this.#connections;
    const all = this.#partitions.all.map(({ keys }) => keys);
    const deviations: Deviation[] = [];
    for (const keys of all) deviations.push(...(await this.#connections.answer(auditJobs(commands, keys))));
    return [...deviations, ...(await this.#connections.answer(auditKeys(commands, this.#prefix, all)))];
  }

  watch(topic: Topic, listener: (change: JobChange) => void): Promise<() => void> {
    return this.#changes.watch(topic, listener);
  }

  waitForWork(names: readonly string[], signal: AbortSignal): Promise<void> {
    return this.#work.wait(names, signal);
  }

  #find(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    return this.#partitions.each(ids, itself, (partition, some) => partition.find(some));
  }

  #notify(message: string): void {
    STORE_NOTICE.publish({ store: this, message } satisfies StoreNotice);
  }
}

function idOf({ id }: { readonly id: string }): string {
  return id;
}

function itself(id: string): string {
  return id;
}
