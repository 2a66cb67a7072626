import type { JobChange, Topic } from '../store/job-store.js';
import { Listeners } from '../store/listeners.js';
import { decodeLine, statusOf } from './codec.js';
import type { RedisChannels } from './keys.js';
import type { RedisConnections } from './redis-connections.js';

const AT_ONCE = 1_000;

/**
 * Hears of changes on one connection, for all who watch in this process; subscribed only while somebody does. Where some
 * may have been missed, watchers of jobs are told how their jobs stand. Workers are not: their next renewal tells them.
 */
export class RedisChanges {
  readonly #listeners = new Listeners();
  readonly #watching = new Map<string, number>();

  /** @param find answers these jobs, each in its place; `null` for one that is gone */
  constructor(
    private readonly connections: RedisConnections,
    private readonly channels: RedisChannels,
    private readonly find: (ids: readonly string[]) => Promise<(JobChange | null)[]>,
  ) {
    connections.changes.onMessage = (channel, message) => this.#heard(channel, message);
    connections.changes.onGap = () => this.#catchUp();
  }

  async watch(topic: Topic, listener: (change: JobChange) => void): Promise<() => void> {
    const channel = 'job' in topic ? this.channels.changes : this.channels.revocations;
    const remove = this.#listeners.add(topic, listener);
    const unsubscribe = await this.#subscribe(channel).catch((error: unknown) => {
      remove();
      throw error;
    });
    let watching = true;
    return () => {
      remove();
      if (watching) unsubscribe();
      watching = false;
    };
  }

  async #subscribe(channel: string): Promise<() => void> {
    const { changes } = this.connections;
    const unsubscribe = () => {
      const left = (this.#watching.get(channel) ?? 1) - 1;
      this.#watching.set(channel, left);
      if (left === 0) changes.unsubscribe(channel);
    };
    this.#watching.set(channel, (this.#watching.get(channel) ?? 0) + 1);
    try {
      await this.connections.answer(changes.subscribe(channel));
    } catch (error) {
      unsubscribe();
      throw error;
    }
    return unsubscribe;
  }

  async #catchUp(): Promise<void> {
    const ids = this.#listeners.jobs;
    for (let first = 0; first < ids.length; first += AT_ONCE) {
      const some = ids.slice(first, first + AT_ONCE);
      const found = await this.find(some);
      some.forEach((id, n) => this.#listeners.tellOfJob(found[n] ?? { id, status: null, version: 0 }));
    }
  }

  #heard(channel: string, message: string): void {
    for (const line of message.split('\n')) {
      if (channel === this.channels.changes) {
        const [id, letter, version] = line.split(' ', 3) as [string, string, string];
        if (!this.#listeners.hasFor(id)) continue;
        const text = line.slice(id.length + letter.length + version.length + 3);
        this.#listeners.tellOfJob({ ...changeOf(id, letter, version), job: decodeLine(id, text) });
      } else {
        const [, worker, id, letter, version] = /^(.*) (\S+) (\S) (\d+)$/.exec(line) as unknown as string[];
        const change = changeOf(id as string, letter as string, version as string);
        this.#listeners.tellWorker(JSON.parse(worker as string) as string, change);
      }
    }
  }
}

function changeOf(id: string, letter: string, version: string): JobChange {
  return { id, status: statusOf(letter), version: Number(version) };
}
