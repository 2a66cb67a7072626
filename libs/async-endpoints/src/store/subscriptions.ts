import type { JobChange, Topic } from './job-store.js';

type Listener = (change: JobChange) => void;

/** The subscriptions of this process. */
export class Subscribers {
  readonly #ofJobs = new Map<string, Set<Listener>>();
  readonly #ofWorkers = new Map<string, Set<Listener>>();

  /** @returns a function that ends the subscription; calling it again does nothing */
  add(topic: Topic, listener: Listener): () => void {
    const [byName, name] = 'job' in topic ? [this.#ofJobs, topic.job] : [this.#ofWorkers, topic.worker];
    const listeners = byName.get(name) ?? new Set();
    byName.set(name, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && byName.get(name) === listeners) byName.delete(name);
    };
  }

  /** The ids of the jobs with a subscription. */
  get jobs(): string[] {
    return [...this.#ofJobs.keys()];
  }

  /** Whether there is a subscription to revocations. */
  get hasWorkers(): boolean {
    return this.#ofWorkers.size > 0;
  }

  /** Whether there is a subscription to this job. */
  hasFor(id: string): boolean {
    return this.#ofJobs.has(id);
  }

  /** Notifies the subscribers of a job that it changed. */
  notifyOfJob({ id, status, version, job }: JobChange): void {
    if (this.#ofJobs.size > 0) tell(this.#ofJobs.get(id), { id, status, version, job });
  }

  /** Notifies the subscribers of a worker that one of its claims was revoked. */
  notifyWorker(worker: string, change: JobChange): void {
    tell(this.#ofWorkers.get(worker), change);
  }
}

/** Calls listeners in a microtask: a listener may call the store, which may be in the middle of a change. */
function tell(listeners: Set<Listener> | undefined, change: JobChange): void {
  for (const listener of listeners ?? []) queueMicrotask(() => listener(change));
}

interface Waiter {
  readonly names: readonly string[];
  readonly wake: () => void;
}

/** The `waitForWork` calls of this process, with the names that they wait for. */
export class Waiters {
  readonly #waiters = new Set<Waiter>();

  get size(): number {
    return this.#waiters.size;
  }

  /** All awaited names, without duplicates, in order. */
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

  /** Wakes the waiter that has waited longest for this name. False when there is none. */
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
