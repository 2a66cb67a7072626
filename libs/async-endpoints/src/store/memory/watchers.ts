import type { JobRecord } from '../../job/job.js';
import type { JobChange, Topic } from '../job-store.js';

type Listener = (change: JobChange) => void;

/** Who wants to be told of what. */
export class Watchers {
  readonly #listeners = new Map<string, Set<Listener>>();

  add(topic: Topic, listener: Listener): () => void {
    const key = 'job' in topic ? `job:${topic.job}` : `worker:${topic.worker}`;
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(key) === listeners) this.#listeners.delete(key);
    };
  }

  /** `before`: the record as it was, to know whose claim was revoked. */
  changed(job: JobRecord, before?: JobRecord): void {
    if (this.#listeners.size === 0) return;
    this.#tell(`job:${job.id}`, job);
    const revoked = before?.status === 'InProgress' && job.fence > before.fence;
    if (revoked) this.#tell(`worker:${before.worker}`, job);
  }

  /** In a microtask: a listener may call the store, which is in the middle of a verb. */
  #tell(key: string, { id, status, version }: JobRecord): void {
    for (const listener of this.#listeners.get(key) ?? []) queueMicrotask(() => listener({ id, status, version }));
  }
}
