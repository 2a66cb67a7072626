import type { JobRecord } from '../../job/job.js';
import type { Listeners } from '../listeners.js';
import type { JobIndex } from './job-index.js';
import type { Entry } from './queue.js';
import type { WorkSignal } from './work-signal.js';

/** Every transition of a job that the store has: record and indexes together, then those who wait are told. */
export class Transitions {
  /** Told once. */
  #hasDropped = false;

  /** @param notify tells an operator */
  constructor(
    private readonly jobs: JobIndex,
    private readonly listeners: Listeners,
    private readonly work: WorkSignal,
    private readonly notify: (message: string) => void,
  ) {}

  move(entry: Entry, job: JobRecord): JobRecord {
    const { worker, fence } = entry.job;
    this.jobs.move(entry, job);
    this.#dropSurplus();
    this.listeners.tellOfJob(job);
    if (worker !== null && job.fence > fence) this.listeners.tellWorker(worker, job);
    this.work.arrived(job);
    return job;
  }

  #dropSurplus(): void {
    for (let entry; (entry = this.jobs.surplus);) {
      this.jobs.delete(entry);
      if (this.#hasDropped) continue;
      this.#hasDropped = true;
      this.notify('Finished jobs take more than maximumFinishedBytes: the oldest go before their retention is over');
    }
  }
}
