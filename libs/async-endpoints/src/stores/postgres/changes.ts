import type { JobStatus } from '../../job/job.js';
import { Batcher } from '../../store/batcher.js';
import type { JobChange, Topic } from '../../store/job-store.js';
import { Subscribers } from '../../store/subscriptions.js';
import { decodeText } from '../sql/text.js';
import type { PostgresConnections } from './connections.js';
import type { PostgresListener } from './listener.js';
import { uuidOf } from './rows.js';

/** The interval of polling while notifications do not arrive. */
const POLL_MS = 500;

type Change = readonly [id: string, status: JobStatus | null, version: number];

/** Notifies the subscribers of this process. The jobs with a subscription are registered in the database. */
export class PostgresChanges {
  readonly #subscribers = new Subscribers();
  /** The latest known version of each job with a subscription. */
  readonly #versions = new Map<string, number>();
  readonly #follows: Batcher<string, undefined>;
  readonly #unfollows: Batcher<string, undefined>;
  #poll: NodeJS.Timeout | undefined;

  constructor(
    private readonly connections: PostgresConnections,
    private readonly listener: PostgresListener,
  ) {
    this.#follows = new Batcher(async (ids) => {
      for (const [id, , version] of await this.#follow(ids)) this.#versions.set(id, version);
      return ids.map(() => undefined);
    });
    this.#unfollows = new Batcher(async (ids) => {
      const gone = ids.filter((id) => !this.#subscribers.hasFor(id));
      if (gone.length > 0) await this.connections.call('unfollow', gone.map(uuidOf), this.listener.channel);
      return ids.map(() => undefined);
    });
  }

  async subscribe(topic: Topic, listener: (change: JobChange) => void): Promise<() => void> {
    const remove = this.#subscribers.add(topic, listener);
    try {
      await this.listener.open();
      if ('job' in topic) await this.#follows.push(topic.job);
    } catch (error) {
      remove();
      throw error;
    }
    this.#poll ??= setInterval(() => this.#lookUnlessHearing(), POLL_MS).unref();
    return () => {
      remove();
      if (!('job' in topic) || this.#subscribers.hasFor(topic.job)) return;
      this.#versions.delete(topic.job);
      this.#unfollows.push(topic.job).catch(() => {}); // the row is deleted when the listening connection has ended
    };
  }

  /** Notifies the subscribers of changed jobs. */
  changed(changes: readonly Change[]): void {
    for (const [id, status, version] of changes) {
      if (!this.#subscribers.hasFor(id)) continue;
      this.#versions.set(id, version);
      this.#subscribers.notifyOfJob({ id, status, version });
    }
  }

  /** Notifies a worker of this process that its claim was revoked. */
  revoked(worker: string, [id, status, version]: Change): void {
    if (this.#subscribers.hasWorkers) this.#subscribers.notifyWorker(decodeText(worker), { id, status, version });
  }

  /** Registers the subscriptions again and notifies of missed changes. */
  async lookAgain(): Promise<void> {
    const ids = this.#subscribers.jobs;
    if (ids.length === 0) return;
    const present = await this.#follow(ids);
    this.changed(present.filter(([id, , version]) => this.#versions.get(id) !== version));
  }

  close(): void {
    clearInterval(this.#poll);
    this.#poll = undefined;
    this.#versions.clear();
  }

  #follow(ids: readonly string[]): Promise<readonly Change[]> {
    return this.connections.call('follow', ids.map(uuidOf), this.listener.channel, this.listener.pid);
  }

  #lookUnlessHearing(): void {
    if (!this.listener.isHearing) this.lookAgain().catch(() => {});
  }
}
