import { type JobChange, type JobRecord, MemoryJobStore, type QueueStats, type Topic } from 'nestjs-async-endpoints';

/** A store that counts who watches jobs and how often they are read, and lets a test step in at either moment. */
export class WatchedStore extends MemoryJobStore {
  /** Watches of jobs that were begun, ever. */
  begun = 0;
  /** Watches of jobs that are there now. */
  watching = 0;
  reads = 0;
  /** How often its queues were asked for. */
  asked = 0;
  /** Happens when a watch of a job has begun, before whoever wanted it knows. */
  onWatched: (id: string) => unknown = () => {};
  /** Happens when jobs were read, before the reader gets them. */
  onRead: (ids: readonly string[]) => unknown = () => {};

  override async watch(topic: Topic, listener: (change: JobChange) => void): Promise<() => void> {
    const unwatch = await super.watch(topic, listener);
    if (!('job' in topic)) return unwatch;
    this.begun++;
    this.watching++;
    await this.onWatched(topic.job);
    return () => {
      unwatch();
      this.watching--;
    };
  }

  override stats(): Promise<QueueStats[]> {
    this.asked++;
    return super.stats();
  }

  override async find(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    this.reads++;
    const found = await super.find(ids);
    await this.onRead(ids);
    return found;
  }
}
