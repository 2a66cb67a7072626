import { Logger } from '@nestjs/common';
import { toJobError, toLogText } from '../job/errors.js';
import type { JobStore } from '../store/job-store.js';
import { JOB_CHANNELS, type JobEvent, type JobEventName, STORE_NOTICE, type StoreNotice } from './channels.js';
import { withinJob } from './job-scope.js';

type Subscriber = (event: JobEvent) => void;

/** Writes what an operator must know to the log; jobs that go well are silent. Stack traces appear here and only here. */
export class JobLog {
  readonly #logger = new Logger('AsyncEndpoints');
  readonly #subscribers: Partial<Record<JobEventName, Subscriber>> = {
    retry: ({ job, cause }) => this.#logger.warn(`${of(job)} failed and will be retried: ${toLogText(cause)}`),
    fail: ({ job, cause }) => this.#logger.error(`${of(job)} failed for good: ${toLogText(cause)}`),
    recover: ({ job }) => this.#logger.warn(`${of(job)} was taken back from a worker that vanished; now ${job.status}`),
    rerun: ({ job }) => this.#logger.log(`${of(job)} was queued anew`),
    lose: ({ job, cause }) => this.#logger.warn(`${of(job)} was lost to another worker: ${toJobError(cause).message}`),
    release: ({ job }) => this.#logger.log(`${of(job)} was given back, its attempt not counted`),
  };
  readonly #listeners: [JobEventName, (message: unknown) => void][];

  readonly #notice: (notice: unknown) => void;

  constructor(store: JobStore) {
    this.#notice = (notice) => {
      const { store: from, message } = notice as StoreNotice;
      if (from === store) this.#logger.warn(message);
    };
    this.#listeners = Object.entries(this.#subscribers).map(([name, subscriber]) => [
      name as JobEventName,
      (message) => {
        const event = message as JobEvent;
        if (event.store === store) withinJob(event.job, () => subscriber(event));
      },
    ]);
  }

  open(): void {
    STORE_NOTICE.subscribe(this.#notice);
    for (const [name, listener] of this.#listeners) JOB_CHANNELS[name].subscribe(listener);
  }

  close(): void {
    STORE_NOTICE.unsubscribe(this.#notice);
    for (const [name, listener] of this.#listeners) JOB_CHANNELS[name].unsubscribe(listener);
  }
}

function of({ name, id }: JobEvent['job']): string {
  return `Job ${name} ${id}`;
}
