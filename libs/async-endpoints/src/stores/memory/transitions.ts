import type { JobRecord } from '../../job/job.js';
import type { Subscribers } from '../../store/subscriptions.js';
import type { WorkSignal } from '../../store/work-signal.js';
import type { JobIndex } from './job-index.js';
import type { Entry } from './queue.js';

/** Every transition of a job that the store has: record and indexes together, then those who wait are told. */
export class Transitions {
  /** Told once. */
  #hasDropped = false;

  /** @param notify tells an operator */
  constructor(
    private readonly jobs: JobIndex,
    private readonly listeners: Subscribers,
    private readonly work: WorkSignal,
    private readonly notify: (message: string) => void,
  ) {}

  move(entry: Entry, job: JobRecord): JobRecord {
    const { worker, fence } = entry.job;
    this.jobs.move(entry, job);
    this.#dropSurplus();
    this.listeners.notifyOfJob(job);
    if (worker !== null && job.fence > fence) this.listeners.notifyWorker(worker, job);
    this.work.arrived(job);
    return job;
  }

  #dropSurplus(): void {
    for (let entry; (entry = this.jobs.surplus);) {
      this.jobs.delete(entry);
      if (this.#hasDropped) continue;
      this.#hasDropped = true;
      this.notify('Finished jobs take more than maxFinishedBytes: the oldest go before their retention is over');
    }
  }
}
