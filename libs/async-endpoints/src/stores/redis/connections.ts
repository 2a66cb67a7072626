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
 * The three connections of a process, independent of the number of handlers and subscribers: one for commands, one that blocks
 * until there is work, and one for subscriptions. The last two are opened when they are first needed. Each detects a dead
 * connection and reconnects.
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
  /** Why there is no connection. The error of a failed call does not contain the reason. */
  #trouble: unknown;
  #state: 'closed' | 'opening' | 'there' | 'away' = 'closed';
  #isChecked = false;
  #place: CheckedPlace = { keys: '', channel: '' };

  /**
   * @param notify called once when Redis becomes unavailable and once when it is back, and with warnings about its settings
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
      close: () => this.#turn('there', 'away', 'The connection to Redis is lost; retrying'),
      ready: () => {
        this.#turn('away', 'there', 'The connection to Redis is back');
        if (this.#state === 'there' && !this.#isChecked) void this.#checkLate();
      },
    };
  }

  /** The parts of a channel name. Channels in Redis have neither database nor client prefix. */
  get space(): { database: number; keyPrefix: string } {
    return spaceOf(this.#commands);
  }

  /** '1' for a cluster, where a script cannot see the subscribers on other nodes. */
  get announce(): '1' | '' {
    return this.#commands instanceof Cluster ? '1' : '';
  }

  /** 1 for a cluster: moving bytes do not show which node they belong to. */
  get #mostTimes(): number {
    return this.#commands instanceof Cluster ? 1 : MOST_TIMES;
  }

  /** True from the call of `open` to the call of `close`. */
  get isOpen(): boolean {
    return this.#state !== 'closed';
  }

  /** @throws AsyncEndpointsError `STORE_UNAVAILABLE` when the store is not open */
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
   * The reply of Redis. Every failure of Redis or of the connection becomes `STORE_UNAVAILABLE`, with the cause for the log and
   * without the arguments of the call.
   *
   * @param times how many timeouts the call may take while its bytes move; several calls in a row need more
   * @throws AsyncEndpointsError `STORE_UNAVAILABLE`, `STORE_FULL`, `STORE_READ_ONLY`
   * @throws Error unchanged, when the arguments caused it: then another batch may succeed
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
      if (this.#mode === 'degraded') return this.#turn('opening', 'away', `${message}; retrying`);
      this.#end();
      throw unavailable(why, message);
    }
  }

  /** The reason for a failed call. Without a connection it is the last error of connecting. */
  #reason(cause: unknown): Error {
    const isTrying = this.#commands.status !== 'ready' && (this.#trouble !== undefined || this.#state === 'opening');
    return isTrying ? withHint(withoutArguments(this.#trouble ?? cause)) : withoutArguments(cause);
  }

  /** Waits for pending calls, within the deadline. */
  async close(): Promise<void> {
    if (!this.isOpen) return;
    this.#state = 'closed';
    if (!this.options.client && this.#commands.status === 'ready')
      await inTime(this.#commands.quit(), this.#timeoutMs).catch(ignore);
    this.#end();
  }

  #begin(): void {
    // Drop the closed clients, because not every client can be used again.
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
    if (to === 'away') this.#trouble = undefined; // later errors come from reconnecting
    if (message !== undefined) this.notify(message);
  }

  /** @throws Error when Redis does not reply, or refuses a command that the store needs */
  async #check(): Promise<void> {
    const listen = async (channel: string) => {
      await this.changes.subscribe(channel);
      this.changes.unsubscribe(channel);
    };
    const warnings = await inTime(checkServer(this.#commands, this.#place, listen), this.#timeoutMs);
    this.#isChecked = true;
    for (const warning of warnings) this.notify(warning);
  }

  /** Checks the server after a boot that did not wait for Redis. */
  async #checkLate(): Promise<void> {
    await this.#check().catch((cause: unknown) => {
      if (this.isOpen) this.notify(`Redis cannot be used: ${withoutArguments(cause).message}`);
    });
  }
}

function ignore(): void {}
