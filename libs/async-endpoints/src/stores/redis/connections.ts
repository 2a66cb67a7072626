import { Cluster } from 'ioredis';
import { AsyncEndpointsError } from '../../job/errors.js';
import { notOpen } from '../../store/lifetime.js';
import { unavailable, withoutArguments } from '../../store/unavailable.js';
import {
  checkConnectionOptions,
  hangUp,
  listeningClient,
  MOST_TIMES,
  movedBytes,
  ownClient,
  reconnect,
  spaceOf,
  workClient,
} from './client.js';
import { inTime, NoAnswer } from '../../store/in-time.js';
import type { RedisConnectionOptions } from './options.js';
import { Refusals, withHint } from './refusals.js';
import { isFaultOfArguments, type RedisClient } from './scripts/define-script.js';
import { type CheckedPlace, checkServer } from './server-checks.js';
import { RedisSubscriber } from './subscriber.js';

/**
 * The three connections of a process, however many handlers and watchers it has: one for commands, one that blocks until
 * there is work, one that listens. The last two are opened when they are first needed. Each finds out by itself when its
 * other end has vanished without a word, and connects anew.
 */
export class RedisConnections {
  readonly changes: RedisSubscriber;
  readonly refusals: Refusals;
  readonly #mode: 'fail-fast' | 'degraded';
  readonly #timeoutMs: number;
  readonly #listeners: Record<'error' | 'close' | 'ready', (error: unknown) => void>;
  readonly #moved = () => movedBytes(this.#commands);
  #commands: RedisClient;
  #work: RedisClient | undefined;
  /** Why there is no connection; a call that fails of it knows only that there is none. */
  #trouble: unknown;
  #state: 'closed' | 'opening' | 'there' | 'away' = 'closed';
  #isChecked = false;
  #place: CheckedPlace = { keys: '', channel: '' };

  /**
   * @param notify is told when Redis goes away and when it is back, once each, and what an operator should know of it
   * @throws AsyncEndpointsError `INVALID_OPTION`
   */
  constructor(
    private readonly options: RedisConnectionOptions,
    private readonly notify: (message: string) => void,
  ) {
    checkConnectionOptions(options);
    this.refusals = new Refusals(notify);
    this.#mode = options.connect ?? 'fail-fast';
    this.#timeoutMs = options.commandTimeoutMs ?? 5_000;
    this.#commands = options.client ?? ownClient(options, this.#timeoutMs);
    this.changes = new RedisSubscriber(() => listeningClient(this.#commands, this.#timeoutMs), this.#timeoutMs);
    this.#listeners = {
      error: (error) => (this.#trouble = error),
      close: () => this.#turn('there', 'away', 'The connection to Redis is lost; trying until it is back'),
      ready: () => {
        this.#turn('away', 'there', 'The connection to Redis is back');
        if (this.#state === 'there' && !this.#isChecked) void this.#checkLate();
      },
    };
  }

  /** What a channel's name must carry, because Redis does not. */
  get space(): { database: number; keyPrefix: string } {
    return spaceOf(this.#commands);
  }

  /** In a cluster a script cannot see who listens on other nodes. */
  get announce(): '1' | '' {
    return this.#commands instanceof Cluster ? '1' : '';
  }

  /** What moves on the connections to the nodes of a cluster says nothing of the node that a call has gone to. */
  get #mostTimes(): number {
    return this.#commands instanceof Cluster ? 1 : MOST_TIMES;
  }

  /** From the begin of opening to that of closing. */
  get isOpen(): boolean {
    return this.#state !== 'closed';
  }

  /** @throws AsyncEndpointsError `STORE_UNAVAILABLE` where it is not open */
  get commands(): RedisClient {
    if (!this.isOpen) throw notOpen();
    return this.#commands;
  }

  get work(): RedisClient {
    const { commands } = this;
    if (!this.#work) {
      this.#work = workClient(commands);
      this.#work.on('error', ignore);
    }
    return this.#work;
  }

  /**
   * What Redis answers. Whatever goes wrong between us and Redis, or in it, is the store being unavailable; the cause goes
   * along for the log, without what Redis was asked.
   *
   * @param times how often the call may take its time as long as its bytes move; several calls one after the other need more
   * @throws AsyncEndpointsError `STORE_UNAVAILABLE`, `STORE_FULL`, `STORE_READ_ONLY`
   * @throws Error as it is, where the fault is in what was sent: then another batch may succeed
   */
  async answer<T>(call: Promise<T>, times = this.#mostTimes): Promise<T> {
    try {
      return await inTime(call, this.#timeoutMs, { moved: this.#moved, times });
    } catch (cause) {
      if (isFaultOfArguments(cause)) throw withoutArguments(cause);
      if (cause instanceof NoAnswer && cause.isSilent && !this.options.client) reconnect(this.#commands, cause);
      if (cause instanceof AsyncEndpointsError) throw cause;
      const why = this.#reason(cause);
      throw this.refusals.errorOf(why) ?? unavailable(why);
    }
  }

  /** @throws AsyncEndpointsError `STORE_UNAVAILABLE`, unless the mode is `degraded` */
  async open(place: CheckedPlace): Promise<void> {
    this.#place = place;
    this.#begin();
    try {
      if (this.#commands.status === 'wait') await inTime(this.#commands.connect(), this.#timeoutMs);
      await this.#check();
      this.#turn('opening', 'there');
    } catch (cause) {
      if (!this.isOpen) throw unavailable(cause, 'The job store was closed while it was being opened.');
      const why = this.#reason(cause);
      const message = `Redis cannot be used: ${why.message}`;
      if (this.#mode === 'degraded') return this.#turn('opening', 'away', `${message}; trying until it can`);
      this.#end();
      throw unavailable(why, message);
    }
  }

  /** Of a failed call: where there is no connection, why there is none, as far as trying again has shown. */
  #reason(cause: unknown): Error {
    const isTrying = this.#commands.status !== 'ready' && (this.#trouble !== undefined || this.#state === 'opening');
    return isTrying ? withHint(withoutArguments(this.#trouble ?? cause)) : withoutArguments(cause);
  }

  /** Waits for what Redis was asked already, but not for a Redis that does not answer. */
  async close(): Promise<void> {
    if (!this.isOpen) return;
    this.#state = 'closed';
    if (!this.options.client && this.#commands.status === 'ready')
      await inTime(this.#commands.quit(), this.#timeoutMs).catch(ignore);
    this.#end();
  }

  #begin(): void {
    // What was closed once is left to be collected: not every client can be used again.
    if (!this.options.client && this.#commands.status !== 'wait')
      this.#commands = ownClient(this.options, this.#timeoutMs);
    this.#state = 'opening';
    this.#trouble = undefined;
    this.#isChecked = false;
    for (const [event, listener] of Object.entries(this.#listeners)) this.#commands.on(event, listener);
  }

  #end(): void {
    this.#state = 'closed';
    this.changes.close();
    if (this.#work) hangUp(this.#work);
    this.#work = undefined;
    if (!this.options.client) return hangUp(this.#commands);
    for (const [event, listener] of Object.entries(this.#listeners)) this.#commands.off(event, listener);
  }

  #turn(from: 'opening' | 'there' | 'away', to: 'there' | 'away', message?: string): void {
    if (this.#state !== from) return;
    this.#state = to;
    if (to === 'away') this.#trouble = undefined; // what comes now is of trying again
    if (message !== undefined) this.notify(message);
  }

  /** @throws Error where Redis does not answer, or refuses what the store needs */
  async #check(): Promise<void> {
    const listen = async (channel: string) => {
      await this.changes.subscribe(channel);
      this.changes.unsubscribe(channel);
    };
    const warnings = await inTime(checkServer(this.#commands, this.#place, listen), this.#timeoutMs);
    this.#isChecked = true;
    for (const warning of warnings) this.notify(warning);
  }

  /** A boot that did not wait for Redis could not look. */
  async #checkLate(): Promise<void> {
    await this.#check().catch((cause: unknown) => {
      if (this.isOpen) this.notify(`Redis cannot be used: ${withoutArguments(cause).message}`);
    });
  }
}

function ignore(): void {}
