import type { JobChange, Topic } from './job-store.js';

type Listener = (change: JobChange) => void;

/** Who in this process wants to be told of what. */
export class Listeners {
  readonly #ofJobs = new Map<string, Set<Listener>>();
  readonly #ofWorkers = new Map<string, Set<Listener>>();

  /** @returns stops the telling; calling it again does nothing */
  add(topic: Topic, listener: Listener): () => void {
    const [byName, name] = 'job' in topic ? [this.#ofJobs, topic.job] : [this.#ofWorkers, topic.worker];
    const listeners = byName.get(name) ?? new Set();
    byName.set(name, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && byName.get(name) === listeners) byName.delete(name);
    };
  }

  /** Ids of the jobs that somebody wants to be told of. */
  get jobs(): string[] {
    return [...this.#ofJobs.keys()];
  }

  /** Whether somebody wants to be told of this job. */
  hasFor(id: string): boolean {
    return this.#ofJobs.has(id);
  }

  /** That a job changed. */
  tellOfJob({ id, status, version, job }: JobChange): void {
    if (this.#ofJobs.size > 0) tell(this.#ofJobs.get(id), { id, status, version, job });
  }

  /** That a claim of this worker was revoked. */
  tellWorker(worker: string, change: JobChange): void {
    tell(this.#ofWorkers.get(worker), change);
  }
}

/** In a microtask: a listener may call the store, which may be in the middle of a verb. */
function tell(listeners: Set<Listener> | undefined, change: JobChange): void {
  for (const listener of listeners ?? []) queueMicrotask(() => listener(change));
}
