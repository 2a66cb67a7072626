import type { JobRecord, JobStatus } from 'nestjs-async-endpoints';
import { aJob, eventually } from 'nestjs-async-endpoints/testing';
import { type App, AppProcess } from '../app-process.js';
import { type Backend, BACKENDS, type Store } from './backends.js';

export { KINDS } from './backends.js';

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

/** A store, the processes that tests start on it, and the state of their jobs in the store. */
export class Processes {
  readonly #processes: AppProcess[] = [];

  /** @param env the variables by which the processes find the store, which is open */
  constructor(
    readonly store: Store,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

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
      ...this.env,
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

  /** And leaves its jobs as they are. */
  async stop(): Promise<void> {
    await Promise.all(this.#processes.splice(0).map((running) => running.kill()));
    await this.store.close();
  }
}

/** Processes on a store of the test file's own. */
export class System extends Processes {
  private constructor(
    readonly backend: Backend,
    store: Store,
  ) {
    super(store, backend.env);
  }

  static async start(kind: keyof typeof BACKENDS): Promise<System> {
    const backend = await BACKENDS[kind]();
    const store = backend.create();
    await store.open();
    return new System(backend, store);
  }

  /** The demo on the store of this system, with other options than those of its variables. */
  demo(role: 'api' | 'worker' | 'all', storeOptions: object = {}, worker: object = {}): Promise<AppProcess> {
    const [kind, options] = this.backend.store;
    const store = JSON.stringify([kind, { ...options, ...storeOptions }]);
    return this.run('demo', { ASYNC_ROLE: role, STORE: store, WORKER: JSON.stringify(worker) });
  }

  override async stop(): Promise<void> {
    await super.stop();
    await this.backend.stop();
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
