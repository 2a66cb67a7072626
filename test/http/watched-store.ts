import type { JobRecord, JobStore } from 'nestjs-async-endpoints';
import { type StackName, storesOf } from './stacks.js';

/** A store that counts subscriptions to jobs and reads, with hooks for tests at both. */
export interface WatchedStore extends JobStore {
  /** The number of subscriptions to jobs so far. */
  begun: number;
  /** The number of current subscriptions to jobs. */
  watching: number;
  /** The number of jobs read; a call may read several. */
  reads: number;
  /** The number of pending reads. */
  reading: number;
  /** The number of `stats` calls. */
  asked: number;
  /** All called verbs, in order. */
  readonly calls: string[];
  /** Called when a subscription to a job exists, before the subscriber knows it. */
  onWatched: (id: string) => unknown;
  /** Called when jobs were read, before the reader gets them. */
  onRead: (ids: readonly string[], found: readonly (JobRecord | null)[]) => unknown;
}

export async function watchedStoreOf(stack: StackName, options: { now?: () => number } = {}): Promise<WatchedStore> {
  return watched((await storesOf(stack, options)).replica());
}

/** Counts calls from outside only, not those of the store itself. */
export function watched(real: JobStore): WatchedStore {
  const seen: Partial<WatchedStore> & Counts = {
    begun: 0,
    watching: 0,
    reads: 0,
    reading: 0,
    asked: 0,
    calls: [],
    onWatched: () => {},
    onRead: () => {},
    async subscribe(topic, listener) {
      const unsubscribe = await real.subscribe(topic, listener);
      if (!('job' in topic)) return unsubscribe;
      seen.begun++;
      seen.watching++;
      await seen.onWatched(topic.job);
      return () => {
        unsubscribe();
        seen.watching--;
      };
    },
    stats() {
      seen.asked++;
      return real.stats();
    },
    async find(ids, owners) {
      seen.reads += ids.length;
      seen.reading++;
      try {
        const found = await real.find(ids, owners);
        await seen.onRead(ids, found);
        return found;
      } finally {
        seen.reading--;
      }
    },
  };
  return new Proxy(real, {
    get(target, key: keyof JobStore) {
      const member = key in seen ? seen[key] : target[key];
      if (typeof member !== 'function' || key.startsWith('on')) return member;
      return (...args: never[]) => {
        seen.calls.push(key);
        return (member as (...given: never[]) => unknown).apply(target, args);
      };
    },
    set: (_target, key, value) => Reflect.set(seen, key, value),
  }) as WatchedStore;
}

type Counts = Pick<
  WatchedStore,
  'begun' | 'watching' | 'reads' | 'reading' | 'asked' | 'calls' | 'onWatched' | 'onRead'
>;
