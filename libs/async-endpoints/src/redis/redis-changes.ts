import type { JobChange, Topic } from '../store/job-store.js';
import { Listeners } from '../store/listeners.js';
import { statusOf } from './codec.js';
import type { RedisKeys } from './keys.js';
import { available, type RedisConnections } from './redis-connections.js';

/** Hears of changes on one connection, for all who watch in this process; subscribed only while somebody does. */
export class RedisChanges {
  readonly #listeners = new Listeners();
  readonly #watching = new Map<string, number>();
  #listening = false;

  constructor(
    private readonly connections: RedisConnections,
    private readonly keys: RedisKeys,
  ) {}

  async watch(topic: Topic, listener: (change: JobChange) => void): Promise<() => void> {
    const channel = 'job' in topic ? this.keys.changes : this.keys.revocations;
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
    if (!this.#listening) changes.on('message', (on: string, message: string) => this.#heard(on, message));
    this.#listening = true;
    this.#watching.set(channel, (this.#watching.get(channel) ?? 0) + 1);
    await available(changes.subscribe(channel));
    return () => {
      const left = (this.#watching.get(channel) ?? 1) - 1;
      this.#watching.set(channel, left);
      if (left === 0) changes.unsubscribe(channel).catch(() => {}); // it goes with the connection, then
    };
  }

  #heard(channel: string, message: string): void {
    for (const line of message.split('\n')) {
      if (channel === this.keys.changes) {
        const [id, letter, version] = line.split(' ') as [string, string, string];
        this.#listeners.tellOfJob(changeOf(id, letter, version));
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
