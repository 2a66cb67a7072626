import { Cluster, type Redis, type RedisOptions } from 'ioredis';
import { AsyncEndpointsError } from '../job/errors.js';
import type { RedisClient } from './define-script.js';
import { inTime } from './in-time.js';
import { checkConnectionOptions, ownClient, type RedisConnectionOptions } from './redis-client.js';
import { RedisSubscriber } from './redis-subscriber.js';
import { requireVersion, settingsWarnings } from './server-checks.js';

/** The longest that the work connection is asked to block. */
export const BLOCK_MS = 10_000;
/** Redis answers a blocking call that long after its timeout at the latest; a connection that does not is dead. */
const PATIENCE_MS = 3_000;

/**
 * The three connections of a process, however many handlers and watchers it has: one for commands, one that blocks until
 * there is work, one that listens. The last two are opened when they are first needed. Each finds out by itself when its
 * other end has vanished without a word, and connects anew.
 */
export class RedisConnections {
  readonly commands: RedisClient;
  readonly changes: RedisSubscriber;
  readonly #own: boolean;
  readonly #mode: 'fail-fast' | 'degraded';
  readonly #timeoutMs: number;
  readonly #listeners: Record<'error' | 'close' | 'ready', (error: unknown) => void>;
  /** Why there is no connection; a call that fails of it knows only that there is none. */
  #trouble: unknown;
  #state: 'opening' | 'there' | 'away' | 'closing' = 'opening';
  #isChecked = false;
  #work: RedisClient | undefined;

  /**
   * @param notify is told when Redis goes away and when it is back, once each, and what an operator should know of it
   * @throws AsyncEndpointsError `INVALID_OPTION`
   */
  constructor(
    options: RedisConnectionOptions,
    private readonly notify: (message: string) => void,
  ) {
    checkConnectionOptions(options);
    this.#own = options.client === undefined;
    this.#mode = options.connect ?? 'fail-fast';
    this.#timeoutMs = options.commandTimeoutMs ?? 5_000;
    this.commands = options.client ?? ownClient(options, this.#timeoutMs);
    this.changes = new RedisSubscriber(() => this.#listener(), this.#timeoutMs);
    this.#listeners = {
      error: (error) => (this.#trouble = error),
      close: () => {
        if (this.#state !== 'there') return;
        this.#state = 'away';
        notify('The connection to Redis is lost; trying until it is back');
      },
      ready: () => {
        if (this.#state !== 'away') return;
        this.#state = 'there';
        notify('The connection to Redis is back');
        if (!this.#isChecked) void this.#checkLate();
      },
    };
    for (const [event, listener] of Object.entries(this.#listeners)) this.commands.on(event, listener);
  }

  /** In a cluster a script cannot see who listens on other nodes. */
  get announce(): '1' | '' {
    return this.commands instanceof Cluster ? '1' : '';
  }

  get work(): RedisClient {
    if (!this.#work) {
      const blocking = { ...PATIENT, socketTimeout: BLOCK_MS + PATIENCE_MS };
      this.#work =
        this.commands instanceof Cluster
          ? this.commands.duplicate([], { enableOfflineQueue: true, lazyConnect: false, redisOptions: blocking })
          : this.commands.duplicate(blocking);
      this.#work.on('error', ignore);
    }
    return this.#work;
  }

  /**
   * What Redis answers. Whatever goes wrong between us and Redis, or in it, is the store being unavailable; the cause goes
   * along for the log. Calls on a client that is not ours may have no deadline of their own.
   *
   * @throws AsyncEndpointsError `STORE_UNAVAILABLE`
   */
  async answer<T>(call: Promise<T>): Promise<T> {
    try {
      return await (this.#own ? call : inTime(call, this.#timeoutMs));
    } catch (cause) {
      if (cause instanceof AsyncEndpointsError) throw cause;
      throw new AsyncEndpointsError('STORE_UNAVAILABLE', undefined, { cause });
    }
  }

  /** @throws AsyncEndpointsError `STORE_UNAVAILABLE`, unless the mode is `degraded` */
  async open(): Promise<void> {
    try {
      if (this.commands.status === 'wait') await inTime(this.commands.connect(), this.#timeoutMs);
      await this.#check();
      this.#state = 'there';
    } catch (cause) {
      const why = this.commands.status === 'ready' ? cause : (this.#trouble ?? cause);
      const message = `Redis cannot be used: ${why instanceof Error ? why.message : String(why)}`;
      if (this.#mode === 'degraded') {
        this.#state = 'away';
        return this.notify(`${message}; trying until it can`);
      }
      if (this.#own) this.commands.disconnect();
      throw new AsyncEndpointsError('STORE_UNAVAILABLE', message, { cause: why });
    }
  }

  /** Resolves when Redis answers for these keys: in a cluster, each may be on a node of its own. */
  async ping(keys: readonly string[]): Promise<void> {
    const { commands } = this;
    const asks = commands instanceof Cluster ? keys.map((key) => commands.exists(key)) : [commands.ping()];
    await this.answer(Promise.all<unknown>(asks));
  }

  async close(): Promise<void> {
    this.#state = 'closing';
    this.#work?.disconnect();
    this.changes.close();
    if (this.#own) return this.#quit();
    for (const [event, listener] of Object.entries(this.#listeners)) this.commands.off(event, listener);
  }

  async #quit(): Promise<void> {
    if (this.commands.status === 'ready') await inTime(this.commands.quit(), this.#timeoutMs).catch(ignore);
    this.commands.disconnect();
  }

  /** @throws Error where Redis does not answer, or is too old */
  async #check(): Promise<void> {
    const { commands } = this;
    // The nodes of a cluster connect at their first command, and would refuse the second while they do.
    const servers = commands instanceof Cluster ? commands.nodes('master') : [commands];
    await inTime(Promise.all(servers.map(requireVersion)), this.#timeoutMs);
    this.#isChecked = true;
    const warnings = await inTime(Promise.all(servers.map(settingsWarnings)), this.#timeoutMs);
    for (const warning of new Set(warnings.flat())) this.notify(warning);
  }

  /** A boot that did not wait for Redis could not look. */
  async #checkLate(): Promise<void> {
    try {
      await this.#check();
    } catch (cause) {
      this.notify(`Redis cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }

  /** In a cluster any node will do: each hears what is published on every other. */
  #listener(): Redis | undefined {
    const { commands } = this;
    const listening = { ...PATIENT, autoResubscribe: false, socketTimeout: this.#timeoutMs };
    if (!(commands instanceof Cluster)) return commands.duplicate(listening);
    const nodes = commands.nodes();
    const node = nodes[Math.floor(Math.random() * nodes.length)];
    return node?.duplicate({ ...listening, retryStrategy: () => null, readOnly: false });
  }
}

/** Both wait for long on purpose: no deadline, and no giving up while the server is away. */
const PATIENT: RedisOptions = {
  commandTimeout: undefined,
  maxRetriesPerRequest: null,
  enableOfflineQueue: true,
  lazyConnect: false,
};

/** Connection errors are reported by the calls that fail of them. */
function ignore(): void {}
