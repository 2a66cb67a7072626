import type { Redis } from 'ioredis';
import { hangUp } from './client.js';
import { inTime } from '../../store/in-time.js';

/** The interval of the heartbeat on a silent connection, as a multiple of the deadline of a call. */
const HEARTBEAT_TIMEOUTS = 2;
const CONNECT_AGAIN_MS = 200;
/** How long a channel stays subscribed after its last subscriber, so that waiting for one job after the other subscribes once. */
const LINGER_MS = 5_000;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (why: unknown) => void;
}

/**
 * One connection that subscribes to channels, opened with the first channel. A lost connection is opened again, also when it was
 * lost silently. It then reports that messages may have been missed.
 */
export class RedisSubscriber {
  /** Called for each message. */
  onMessage: (channel: string, message: string) => void = () => {};
  /** Called when messages may have been missed, after all channels are subscribed again. Repeated until it resolves. */
  onGap: () => Promise<void> = () => Promise.resolve();
  readonly #channels = new Set<string>();
  /** The confirmed subscriptions of the current connection. */
  readonly #confirmed = new Set<string>();
  readonly #leaving = new Map<string, NodeJS.Timeout>();
  readonly #waiting = new Set<Waiting>();
  #client: Redis | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #heard = false;
  #missed = false;
  /** Why there is no connection, if known. */
  #trouble: unknown;

  /**
   * @param connect opens a connection that does not resubscribe by itself; undefined when there is no node to connect to
   * @param timeoutMs how long Redis may take to reply
   */
  constructor(
    private readonly connect: () => Redis | undefined,
    private readonly timeoutMs: number,
  ) {}

  /** Resolves when the channel is subscribed. @throws Error when that takes too long or is refused */
  async subscribe(channel: string): Promise<void> {
    clearTimeout(this.#leaving.get(channel));
    this.#leaving.delete(channel);
    if (this.#confirmed.has(channel)) return;
    this.#channels.add(channel);
    if (!this.#heartbeat) this.#open();
    const client = this.#client;
    try {
      await inTime(client?.status === 'ready' ? this.#listen(client, channel) : this.#whenReady(), this.timeoutMs);
    } catch (error) {
      throw this.#trouble ?? error;
    }
  }

  /** Unsubscribes after a few seconds. */
  unsubscribe(channel: string): void {
    clearTimeout(this.#leaving.get(channel));
    const leave = () => {
      this.#leaving.delete(channel);
      this.#channels.delete(channel);
      this.#confirmed.delete(channel);
      this.#client?.unsubscribe(channel).catch(() => {}); // the subscription then ends with the connection
    };
    this.#leaving.set(channel, setTimeout(leave, LINGER_MS).unref());
  }

  /** Ends all subscriptions and the connection. The next subscription opens a new one. */
  close(): void {
    clearInterval(this.#heartbeat);
    clearTimeout(this.#again);
    for (const timer of this.#leaving.values()) clearTimeout(timer);
    const client = this.#client;
    this.#client = this.#heartbeat = this.#again = this.#trouble = undefined;
    this.#missed = false;
    for (const list of [this.#channels, this.#confirmed, this.#leaving]) list.clear();
    if (client) hangUp(client);
    this.#settle(({ reject }) => reject(new Error('The connection was closed')));
  }

  #whenReady(): Promise<void> {
    return new Promise((resolve, reject) => this.#waiting.add({ resolve, reject }));
  }

  #settle(how: (waiting: Waiting) => void): void {
    for (const waiting of this.#waiting) how(waiting);
    this.#waiting.clear();
  }

  async #listen(client: Redis, ...channels: string[]): Promise<void> {
    await client.subscribe(...channels);
    if (client === this.#client && client.status === 'ready')
      for (const channel of channels) this.#confirmed.add(channel);
  }

  #open(): void {
    this.#heartbeat ??= setInterval(() => this.#beat(), HEARTBEAT_TIMEOUTS * this.timeoutMs);
    const client = (this.#client = this.connect());
    if (!client) return this.#openAgain();
    const isPresent = () => client === this.#client;
    client.on('error', (error) => (this.#trouble = error)); // followed by a close
    client.on('message', (channel: string, message: string) => {
      if (!isPresent()) return;
      this.#heard = true;
      this.onMessage(channel, message);
    });
    client.on('ready', () => void this.#ready(client));
    client.on('close', () => {
      if (!isPresent()) return;
      this.#missed = true;
      this.#confirmed.clear();
    });
    client.on('end', () => isPresent() && this.#openAgain());
  }

  #openAgain(): void {
    this.#again = setTimeout(() => this.#open(), CONNECT_AGAIN_MS);
  }

  async #ready(client: Redis): Promise<void> {
    this.#trouble = undefined;
    try {
      if (this.#channels.size > 0) await this.#listen(client, ...this.#channels);
    } catch (error) {
      // The subscription was refused, unless the connection was lost again.
      if (client.status === 'ready') this.#settle(({ reject }) => reject(error));
      return;
    }
    this.#settle(({ resolve }) => resolve());
    if (this.#missed) void this.#tellGap(client);
    this.#missed = false;
  }

  async #tellGap(client: Redis): Promise<void> {
    while (client === this.#client) {
      const isTold = await this.onGap().then(
        () => true,
        () => false,
      );
      if (isTold) return;
      await new Promise((resolve) => setTimeout(resolve, CONNECT_AGAIN_MS));
    }
  }

  /** Subscribing again changes nothing, but Redis must reply within the socket timeout of the client. */
  #beat(): void {
    const [channel] = this.#channels;
    if (!this.#heard && channel !== undefined && this.#client?.status === 'ready') {
      this.#client.subscribe(channel).catch(() => {}); // then the client reconnects
    }
    this.#heard = false;
  }
}
