import type { JobRecord, JobStore } from 'nestjs-async-endpoints';
import { type StackName, storesOf } from './stacks.js';

/** A store that counts who watches jobs and how often they are read, and lets a test step in at either moment. */
export interface WatchedStore extends JobStore {
  /** Watches of jobs that were begun, ever. */
  begun: number;
  /** Watches of jobs that are there now. */
  watching: number;
  /** Readings of a job; a call may read several. */
  reads: number;
  /** Reads that are not answered yet. */
  reading: number;
  /** How often its queues were asked for. */
  asked: number;
  /** Every verb that was called, in order. */
  readonly calls: string[];
  /** Happens when a watch of a job has begun, before whoever wanted it knows. */
  onWatched: (id: string) => unknown;
  /** Happens when jobs were read, before the reader gets them. */
  onRead: (ids: readonly string[], found: readonly (JobRecord | null)[]) => unknown;
}

export async function watchedStoreOf(stack: StackName, options: { now?: () => number } = {}): Promise<WatchedStore> {
  return watched((await storesOf(stack, options)).replica());
}

/** From outside: what the store calls of itself does not count. */
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
