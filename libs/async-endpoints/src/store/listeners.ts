import type { JobChange, Topic } from './job-store.js';

type Listener = (change: JobChange) => void;

/** Who in this process wants to be told of what. */
export class Listeners {
  readonly #byTopic = new Map<string, Set<Listener>>();

  get size(): number {
    return this.#byTopic.size;
  }

  /** @returns stops the telling; calling it again does nothing */
  add(topic: Topic, listener: Listener): () => void {
    const key = keyOf(topic);
    const listeners = this.#byTopic.get(key) ?? new Set();
    this.#byTopic.set(key, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#byTopic.get(key) === listeners) this.#byTopic.delete(key);
    };
  }

  /** In a microtask: a listener may call the store, which may be in the middle of a verb. */
  tell(topic: Topic, change: JobChange): void {
    for (const listener of this.#byTopic.get(keyOf(topic)) ?? []) queueMicrotask(() => listener(change));
  }
}

function keyOf(topic: Topic): string {
  return 'job' in topic ? `job:${topic.job}` : `worker:${topic.worker}`;
}
