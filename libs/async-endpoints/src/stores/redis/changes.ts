import { publish } from '../../events/channels.js';
import type { JobChange, JobStore, Topic } from '../../store/job-store.js';
import { notOpen } from '../../store/lifetime.js';
import { Subscribers } from '../../store/subscriptions.js';
import { decodeLine, statusOf } from './codec.js';
import type { RedisConnections } from './connections.js';
import type { RedisChannels } from './keys.js';
import type { RedisSeal } from './seal.js';

const JOBS_AT_ONCE = 1_000;

/**
 * Receives changes on one connection for all subscribers of this process. It is subscribed only while there are subscribers.
 * After a gap it notifies the subscribers of jobs of the current state. Workers need no such notification: their next renewal
 * reports a revoked claim.
 */
export class RedisChanges {
  #listeners = new Subscribers();
  /** The number of subscribers by channel. */
  #watching = new Map<string, number>();
  #learning: Promise<void> | undefined;

  /**
   * @param find returns the jobs in the order of the ids; `null` for a job that does not exist
   * @param ignored called for each message that is malformed or has no valid seal
   */
  constructor(
    private readonly connections: RedisConnections,
    private readonly channels: RedisChannels,
    private readonly seal: RedisSeal,
    private readonly find: (ids: readonly string[]) => Promise<(JobChange | null)[]>,
    private readonly ignored: (channel: string) => void,
  ) {
    connections.changes.onMessage = (channel, message) => this.#heard(channel, message);
    connections.changes.onGap = () => this.#catchUp();
  }

  async subscribe(topic: Topic, listener: (change: JobChange) => void): Promise<() => void> {
    if (!this.connections.isOpen) throw notOpen();
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

  /** Removes all subscribers. */
  close(): void {
    this.#listeners = new Subscribers();
    this.#watching = new Map();
    this.#learning = undefined;
  }

  async #subscribe(channel: string): Promise<() => void> {
    const { changes } = this.connections;
    const watching = this.#watching;
    const unsubscribe = () => {
      const left = (watching.get(channel) ?? 1) - 1;
      watching.set(channel, left);
      if (left === 0 && watching === this.#watching) changes.unsubscribe(channel);
    };
    watching.set(channel, (watching.get(channel) ?? 0) + 1);
    try {
      const subscribed = this.connections.answer(changes.subscribe(channel));
      this.#learning ??= this.connections.answer(this.seal.learn(this.connections.commands)).catch(() => {});
      await Promise.all([subscribed, this.#learning]);
    } catch (error) {
      unsubscribe();
      throw error;
    }
    return unsubscribe;
  }

  async #catchUp(): Promise<void> {
    await this.seal.learn(this.connections.commands);
    const ids = this.#listeners.jobs;
    for (let first = 0; first < ids.length; first += JOBS_AT_ONCE) {
      const some = ids.slice(first, first + JOBS_AT_ONCE);
      const found = await this.find(some);
      some.forEach((id, n) => this.#listeners.notifyOfJob(found[n] ?? { id, status: null, version: 0 }));
    }
  }

  /**
   * Any client of Redis may publish on a channel. Malformed messages, and messages without a valid seal where one is required,
   * are ignored.
   */
  #heard(channel: string, message: string): void {
    if (channel !== this.channels.changes && channel !== this.channels.revocations) return;
    const from = message.indexOf('\n');
    const [seal, text] = [message.slice(0, Math.max(from, 0)), message.slice(from + 1)];
    const isRevocation = channel === this.channels.revocations;
    let sealed: boolean | undefined;
    const isSealed = () => (sealed ??= this.#matches(channel, seal, text));
    if (from < 0) return this.ignored(channel);
    if (isRevocation && !isSealed()) return;
    for (const line of text.split('\n')) {
      const isUnderstood = isRevocation ? this.#tellWorker(line) : this.#tellOfJob(line, isSealed);
      if (!isUnderstood) this.ignored(channel);
    }
  }

  #matches(channel: string, seal: string, text: string): boolean {
    if (this.seal.matches(seal, text)) return true;
    this.ignored(channel);
    if (this.seal.mayBeOld && this.connections.isOpen) void this.seal.learn(this.connections.commands);
    return false;
  }

  /** A record in a message is shown to clients, so it is used only with a valid seal. Otherwise the record is read from Redis. */
  #tellOfJob(line: string, isSealed: () => boolean): boolean {
    if (line.indexOf(' ') !== ID_LENGTH) return false;
    const id = line.slice(0, ID_LENGTH);
    if (!this.#listeners.hasFor(id)) return true;
    const [, letter, version, record] = CHANGE.exec(line.slice(ID_LENGTH)) ?? [];
    if (letter === undefined || version === undefined) return false;
    const job = record !== undefined && isSealed() ? decodeLine(id, record) : undefined;
    this.#listeners.notifyOfJob({ ...changeOf(id, letter, version), job });
    return true;
  }

  #tellWorker(line: string): boolean {
    const [, worker, id, letter, version] = REVOCATION.exec(line) ?? [];
    if (worker === undefined || id === undefined || letter === undefined || version === undefined) return false;
    this.#listeners.notifyWorker(JSON.parse(worker) as string, changeOf(id, letter, version));
    return true;
  }
}

const ID_LENGTH = 36;
const CHANGE = /^ ([QSPCFXR]) (\d{1,15})(?: (.*))?$/s;
const REVOCATION = /^("(?:[^"\\]|\\.)*") (\S{36}) ([QSPCFXR]) (\d{1,15})$/s;

function changeOf(id: string, letter: string, version: string): JobChange {
  return { id, status: statusOf(letter), version: Number(version) };
}

const NOTICE_EVERY_MS = 60_000;

/** Counts ignored messages, and logs their number at most once a minute. */
export class IgnoredMessages {
  #count = 0;
  #noticedAt = -Infinity;

  constructor(private readonly store: JobStore) {}

  add(channel: string): void {
    const { store } = this;
    this.#count++;
    publish('ignored', { store });
    if (performance.now() - this.#noticedAt < NOTICE_EVERY_MS) return;
    this.#noticedAt = performance.now();
    const message = `Somebody else publishes on the Redis channel ${channel}: ${this.#count} messages ignored so far.`;
    publish('notice', { store, message });
  }
}
