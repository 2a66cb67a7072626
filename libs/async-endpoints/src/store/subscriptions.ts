import type { JobChange, Topic } from './job-store.js';

type Listener = (change: JobChange) => void;

/** Who in this process wants to be told of what. */
export class Subscribers {
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

  /** Whether somebody wants to be told of revocations. */
  get hasWorkers(): boolean {
    return this.#ofWorkers.size > 0;
  }

  /** Whether somebody wants to be told of this job. */
  hasFor(id: string): boolean {
    return this.#ofJobs.has(id);
  }

  /** That a job changed. */
  notifyOfJob({ id, status, version, job }: JobChange): void {
    if (this.#ofJobs.size > 0) tell(this.#ofJobs.get(id), { id, status, version, job });
  }

  /** That a claim of this worker was revoked. */
  notifyWorker(worker: string, change: JobChange): void {
    tell(this.#ofWorkers.get(worker), change);
  }
}

/** In a microtask: a listener may call the store, which may be in the middle of a verb. */
function tell(listeners: Set<Listener> | undefined, change: JobChange): void {
  for (const listener of listeners ?? []) queueMicrotask(() => listener(change));
}

interface Waiter {
  readonly names: readonly string[];
  readonly wake: () => void;
}

/** Who in this process waits for work, and for which names. */
export class Waiters {
  readonly #waiters = new Set<Waiter>();

  get size(): number {
    return this.#waiters.size;
  }

  /** Every name that somebody waits for, once, in order. */
  get names(): string[] {
    return [...new Set([...this.#waiters].flatMap(({ names }) => names))].toSorted();
  }

  /** Resolves when woken, and when the signal is aborted. */
  add(names: readonly string[], signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        names,
        wake: () => {
          this.#waiters.delete(waiter);
          signal.removeEventListener('abort', waiter.wake);
          resolve();
        },
      };
      this.#waiters.add(waiter);
      signal.addEventListener('abort', waiter.wake);
    });
  }

  /** False where nobody waits for this name. */
  wakeOne(name: string): boolean {
    for (const waiter of this.#waiters) {
      if (!waiter.names.includes(name)) continue;
      waiter.wake();
      return true;
    }
    return false;
  }

  wakeAll(): void {
    for (const waiter of this.#waiters) waiter.wake();
  }
}
