import { publish } from '../../events/channels.js';
import type { Claim, JobRecord, NewJob } from '../../job/job.js';
import type { Settlement } from '../../job/lifecycle.js';
import { agingOf } from '../../store/fairness.js';
import type {
  ClaimRequest,
  JobChange,
  JobFilter,
  JobPage,
  JobStore,
  LiveWorker,
  OperatorAction,
  PausedQueue,
  QueueLimits,
  QueueStats,
  Recovered,
  RecoverOptions,
  Renewal,
  RenewalReply,
  RerunOptions,
  StoreResources,
  Submission,
  Topic,
  WorkerInfo,
} from '../../store/job-store.js';
import { Lifetime } from '../../store/lifetime.js';
import { reportAction, takeActions } from './actions.js';
import type { Deviation } from './audit.js';
import { IgnoredMessages, RedisChanges } from './changes.js';
import { checkPrefix } from './client.js';
import { RedisConnections } from './connections.js';
import { RedisChannels } from './keys.js';
import type { RedisJobStoreOptions } from './options.js';
import { RedisPartition } from './partition.js';
import { Partitions } from './partitions.js';
import { pause, paused, resume } from './pauses.js';
import { auditAll } from './repair.js';
import { RedisSchedules } from './schedules.js';
import { RedisSeal } from './seal.js';
import { addUp, redisResources, redisStats } from './stats.js';
import { Unreadable } from './unreadable.js';
import { RedisWorkSignal } from './work-signal.js';
import { liveWorkers, register, unregister } from './workers.js';

/**
 * Keeps jobs in Redis 6.2 or newer, for any number of processes. Each verb is one script in each partition that it concerns.
 * `docs/redis-layout.md` describes the keys.
 */
export class RedisJobStore implements JobStore {
  readonly schedules: RedisSchedules;
  readonly #connections: RedisConnections;
  readonly #partitions: Partitions;
  readonly #work: RedisWorkSignal;
  readonly #changes: RedisChanges;
  readonly #prefix: string;
  readonly #lifetime: Lifetime;

  /** @throws AsyncEndpointsError `INVALID_OPTION` */
  constructor(options: RedisJobStoreOptions = {}) {
    const { prefix = 'ae', partitions = 1, partitionSecret, now } = options;
    const time = now ? () => String(now()) : () => '';
    checkPrefix(prefix);
    const priorityAgingMs = agingOf(options);
    const notify = (message: string) => publish('notice', { store: this, message });
    const connections = new RedisConnections(options, notify);
    const unreadable = new Unreadable(notify, () => publish('unreadable', { store: this }));
    const channels = new RedisChannels(prefix, connections.space);
    this.#prefix = prefix;
    this.#connections = connections;
    this.#partitions = new Partitions(
      partitions,
      partitionSecret,
      notify,
      (partition) =>
        new RedisPartition(
          connections,
          { prefix, partition, partitions, channels, priorityAgingMs, unreadable, notify },
          time,
        ),
    );
    this.schedules = new RedisSchedules(this.#partitions);
    this.#work = new RedisWorkSignal(connections, this.#partitions.all);
    const seal = new RedisSeal(this.#partitions.all.map(({ keys }) => keys));
    const ignored = new IgnoredMessages(this);
    this.#changes = new RedisChanges(
      connections,
      channels,
      seal,
      (ids) => this.#find(ids),
      (channel) => ignored.add(channel),
    );
    const place = { keys: `{${prefix}:0}:`, channel: `${channels.prefix}:check` };
    this.#lifetime = new Lifetime({ begin: () => connections.open(place), end: () => this.#end() });
  }

  open(): Promise<void> {
    return this.#lifetime.open();
  }

  close(): Promise<void> {
    return this.#lifetime.close();
  }

  async ping(): Promise<void> {
    await Promise.all(this.#partitions.all.map((partition) => partition.probe()));
  }

  submit(jobs: readonly NewJob[], limits: QueueLimits): Promise<Submission[]> {
    return this.#partitions.submit(jobs, limits);
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

  rerun(ids: readonly string[], options: RerunOptions = {}): Promise<(JobRecord | null)[]> {
    return this.#partitions.each(ids, itself, (partition, some) => partition.rerun(some, options));
  }

  recover(options: RecoverOptions): Promise<Recovered[]> {
    return this.#partitions.recover(options);
  }

  purge(limit: number): Promise<string[]> {
    return this.#partitions.purge(limit);
  }

  find(ids: readonly string[], owners?: readonly (string | null)[]): Promise<(JobRecord | null)[]> {
    if (!owners) return this.#find(ids);
    const owned = ids.map((id, index) => ({ id, owner: owners[index] ?? null }));
    return this.#partitions.each(owned, idOf, (partition, some) => partition.findOwned(some));
  }

  payload(id: string): Promise<string | null> {
    return this.#partitions.of(id).payload(id);
  }

  list(filter: JobFilter, page: { limit: number; cursor?: string }): Promise<JobPage> {
    return this.#connections.answer(this.#partitions.list(filter, page), Infinity);
  }

  resources(): Promise<StoreResources> {
    return this.#connections.answer(redisResources(this.#connections.commands));
  }

  async stats(): Promise<QueueStats[]> {
    const parts = await this.#connections.answer(
      Promise.all(this.#partitions.all.map((partition) => redisStats(partition))),
    );
    return addUp(parts.flat());
  }

  pause(names: readonly string[], by: string | null): Promise<void> {
    return pause(this.#partitions.all, names, by);
  }

  resume(names: readonly string[]): Promise<void> {
    return resume(this.#partitions.all, names);
  }

  paused(): Promise<PausedQueue[]> {
    return paused(this.#partitions.all);
  }

  register(worker: WorkerInfo, aliveMs: number): Promise<void> {
    return register(this.#first, worker, aliveMs);
  }

  unregister(id: string): Promise<void> {
    return unregister(this.#first, id);
  }

  workers(): Promise<LiveWorker[]> {
    return liveWorkers(this.#first);
  }

  /**
   * Checks the stored data and returns a description of each deviation: a job that is not in exactly the index of its status, an
   * entry without a job, a wrong counter, a key that nothing uses, and a key without the expiry that it should have. Empty when
   * there is none. It reads all data; it is meant for tests and operators.
   *
   * With `repair`, it then repairs job by job: it puts jobs into the index of their status, deletes records that cannot be read,
   * and corrects counters. Keys that nothing uses stay. Audit again to see the remaining deviations.
   */
  audit({ repair = false }: { repair?: boolean } = {}): Promise<Deviation[]> {
    return auditAll(this.#partitions.all, { prefix: this.#prefix, repair });
  }

  reportAction(action: OperatorAction): Promise<void> {
    return reportAction(this.#partitions.all, action);
  }

  takeActions(): Promise<OperatorAction[]> {
    return takeActions(this.#partitions.all);
  }

  subscribe(topic: Topic, listener: (change: JobChange) => void): Promise<() => void> {
    return this.#changes.subscribe(topic, listener);
  }

  waitForWork(names: readonly string[], signal: AbortSignal): Promise<void> {
    return this.#work.wait(names, signal);
  }

  get #first(): RedisPartition {
    return this.#partitions.all[0] as RedisPartition;
  }

  async #end(): Promise<void> {
    this.#work.close();
    this.#changes.close();
    await this.#connections.close();
  }

  #find(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    return this.#partitions.each(ids, itself, (partition, some) => partition.find(some));
  }
}

function idOf({ id }: { readonly id: string }): string {
  return id;
}

function itself(id: string): string {
  return id;
}
