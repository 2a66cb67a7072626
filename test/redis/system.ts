import { redisCli, type RedisServer, startRedisServer } from '@app/redis-server';
import type { JobRecord, JobStatus } from 'nestjs-async-endpoints';
import { RedisJobStore, type RedisJobStoreOptions } from 'nestjs-async-endpoints/redis';
import { aJob, eventually } from 'nestjs-async-endpoints/testing';
import { type App, AppProcess } from '../app-process.js';

export const LEASE_MS = 1_000;
export const SWEEP_MS = 200;
/** The tolerance for a busy machine in asserted times. */
export const PATIENCE_MS = 3_000;
/**
 * The properties of a job that a second worker took over. Its crash may not be counted: on a machine that is so busy
 * that no worker sweeps for half a lease, the store detects an outage. Tests with longer leases check that crashes are
 * counted.
 */
export const TAKEN_OVER = { retryCount: 0, fence: 3 };
/** `SOAK=1`: large numbers, which take minutes; otherwise smaller ones, which show the same in seconds. */
export const isSoak = process.env.SOAK === '1';

/** A Redis for the test file, the processes that its tests start, and the state of their jobs in the store. */
export class System {
  readonly store: RedisJobStore;
  readonly #processes: AppProcess[] = [];

  private constructor(
    readonly redis: RedisServer,
    private readonly storeOptions: RedisJobStoreOptions,
  ) {
    this.store = new RedisJobStore(storeOptions);
  }

  static async start(redisArgs: readonly string[] = []): Promise<System> {
    const redis = await startRedisServer(redisArgs);
    return System.on({ url: redis.url, redis: { retryStrategy: () => 20 } }, redis);
  }

  /** @param storeOptions of the test and of its `demo` processes */
  static async on(storeOptions: RedisJobStoreOptions, redis: RedisServer): Promise<System> {
    const system = new System(redis, storeOptions);
    await system.store.open();
    return system;
  }

  /** The demo on a store with the options of this system, or with others. */
  demo(
    role: 'api' | 'worker' | 'all',
    storeOptions: RedisJobStoreOptions = {},
    worker: object = {},
  ): Promise<AppProcess> {
    const store = JSON.stringify({ ...this.storeOptions, ...storeOptions });
    return this.run('demo', { ASYNC_ROLE: role, STORE: store, WORKER: JSON.stringify(worker) });
  }

  api(settings: Readonly<Record<string, string>> = {}): Promise<AppProcess> {
    return this.run('api', { ASYNC_ROLE: 'api', ...settings });
  }

  worker(settings: Readonly<Record<string, string>> = {}): Promise<AppProcess> {
    return this.run('worker', settings);
  }

  /** @param folder where it is built, if not here */
  run(app: App, settings: Readonly<Record<string, string>> = {}, folder?: string): Promise<AppProcess> {
    return this.spawn(app, settings, folder).listening();
  }

  spawn(app: App, settings: Readonly<Record<string, string>> = {}, folder?: string): AppProcess {
    const shared = {
      REDIS_URL: this.redis.url,
      ASYNC_WORKER_LEASE_MS: String(LEASE_MS),
      ASYNC_RECOVERY_SWEEP_INTERVAL_MS: String(SWEEP_MS),
    };
    const started = new AppProcess(app, { ...shared, ...settings }, folder);
    this.#processes.push(started);
    return started;
  }

  /** Submits `count` jobs in one step, and returns their ids. */
  async submit(name: string, request: unknown, count = 1): Promise<[string, ...string[]]> {
    const jobs = Array.from({ length: count }, () => aJob({ name, payload: JSON.stringify({ request }) }));
    const outcomes = await this.store.submit(jobs, { queueLimit: 100_000 });
    if (outcomes.some(({ outcome }) => outcome !== 'created')) throw new Error('A job was not accepted');
    return jobs.map(({ id }) => id) as [string, ...string[]];
  }

  async job(id: string): Promise<JobRecord> {
    const [job] = await this.jobs([id]);
    return job as JobRecord;
  }

  /** @throws Error when a job is missing */
  async jobs(ids: readonly string[]): Promise<JobRecord[]> {
    return (await this.store.find(ids)).map((job, index) => {
      if (!job) throw new Error(`Job ${ids[index]} is lost`);
      return job;
    });
  }

  /** Waits until all jobs have this status, and returns them. */
  until(ids: readonly string[], status: JobStatus, withinMs = 20_000): Promise<JobRecord[]> {
    return eventually(async () => {
      const jobs = await this.jobs(ids);
      const others = jobs.filter((job) => job.status !== status);
      if (others.length === 0) return jobs;
      throw new Error(`${others.length} of ${ids.length} are not ${status}, such as ${JSON.stringify(others[0])}`);
    }, withinMs);
  }

  /** Waits until one of the workers has claimed the job, and returns this worker. */
  holder(id: string, workers: readonly AppProcess[]): Promise<AppProcess> {
    return eventually(async () => {
      const job = await this.job(id);
      const holder = workers.find((worker) => isHeldBy(worker, job));
      if (holder) return holder;
      throw new Error(`None of the workers holds it: ${JSON.stringify(job)}`);
    });
  }

  /** The number of connections that wait for work. */
  async blockedClients(): Promise<number> {
    const info = await redisCli('-p', String(this.redis.port), 'info', 'clients');
    return Number(/blocked_clients:(\d+)/.exec(info)?.[1]);
  }

  /** Ends all processes, audits the store, and deletes all jobs. */
  async reset(): Promise<void> {
    await Promise.all(this.#processes.splice(0).map((running) => running.kill()));
    const deviations = await this.store.audit();
    if (deviations.length > 0) throw new Error(`Jobs are not where they should be: ${deviations.join('; ')}`);
    for (let cursor: string | undefined | null; cursor !== null;) {
      const page = await this.store.list({}, { limit: 1_000, cursor });
      await this.store.cancel(page.jobs.map(({ id }) => id));
      cursor = page.cursor;
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.splice(0).map((running) => running.kill()));
    await this.store.close();
    await this.redis.stop();
  }
}

/** By the process id in its name. */
export function isHeldBy({ pid }: AppProcess, { status, worker }: JobRecord): boolean {
  return status === 'InProgress' && worker?.includes(`-${pid}-`) === true;
}

/** Prints a figure that the test has measured. */
export function figure(text: string): void {
  // oxlint-disable-next-line no-console
  console.log(`figure: ${text}`);
}
