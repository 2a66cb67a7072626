import type { JobRecord } from '../../job/job.js';
import type { Subscribers } from '../../store/subscriptions.js';
import type { WorkSignal } from '../../store/work-signal.js';
import type { JobIndex } from './job-index.js';
import type { Entry } from './queue.js';

/** The transitions of the jobs in the store: changes record and indexes together, then notifies subscribers and waiters. */
export class Transitions {
  /** Whether the notice about early purges was published. */
  #hasDropped = false;

  /** @param notify publishes a notice to operators */
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
      this.notify('Finished jobs exceed maxFinishedBytes: the oldest are purged before their retention ends');
    }
  }
}
