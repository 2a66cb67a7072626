import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { AsyncEndpointsError } from '../job/errors.js';
import type { RedisClient } from './define-script.js';
import { requireVersion, settingsWarnings } from './server-checks.js';

export interface RedisConnectionOptions {
  /** Such as `redis://user:password@host:6379/0`, or `rediss://` for TLS. Default `redis://127.0.0.1:6379`. */
  url?: string;
  /** Any options of ioredis: TLS, ACL user, Sentinel, retry strategy. They win over the URL. */
  redis?: RedisOptions;
  /** A connected client of the application's own, also a `Cluster`; it is not closed with the store. */
  client?: RedisClient;
  /**
   * What a boot does while Redis cannot be reached: `fail-fast` stops it, `degraded` goes on, answers 503 and recovers by
   * itself. Default `fail-fast`.
   */
  connect?: 'fail-fast' | 'degraded';
  /** How long a call may take before it fails with `STORE_UNAVAILABLE`, in ms. Default 5000. */
  commandTimeoutMs?: number;
}

/**
 * The three connections of a process, however many handlers and watchers it has: one for commands, one that blocks until
 * there is work, one that listens. The last two are opened when they are first needed.
 */
export class RedisConnections {
  readonly commands: RedisClient;
  readonly #own: boolean;
  readonly #mode: 'fail-fast' | 'degraded';
  readonly #listeners: Record<'error' | 'close' | 'ready', () => void>;
  #isAway = false;
  #isClosing = false;
  readonly #extra = new Map<'work' | 'changes', RedisClient>();

  /** @param notify is told when Redis goes away and when it is back, once each */
  constructor(options: RedisConnectionOptions, notify: (message: string) => void) {
    const { url = 'redis://127.0.0.1:6379', redis, client, connect = 'fail-fast', commandTimeoutMs = 5_000 } = options;
    this.#own = client === undefined;
    this.#mode = connect;
    // While there is no connection a call fails at once; what it was in the middle of is not sent a second time.
    const impatient = { commandTimeout: commandTimeoutMs, maxRetriesPerRequest: 0, enableOfflineQueue: false };
    this.commands = client ?? new Redis(url, { ...impatient, lazyConnect: true, ...redis });
    this.#listeners = {
      error: ignore,
      close: () => {
        if (!this.#isAway && !this.#isClosing) notify('The connection to Redis is lost; trying until it is back');
        this.#isAway = true;
      },
      ready: () => {
        if (this.#isAway) notify('The connection to Redis is back');
        this.#isAway = false;
      },
    };
    for (const [event, listener] of Object.entries(this.#listeners)) this.commands.on(event, listener);
  }

  /** In a cluster a script cannot see who listens on other nodes. */
  get announce(): '1' | '' {
    return this.commands instanceof Cluster ? '1' : '';
  }

  get work(): RedisClient {
    return this.#duplicate('work');
  }

  get changes(): RedisClient {
    return this.#duplicate('changes');
  }

  /** @throws AsyncEndpointsError `STORE_UNAVAILABLE`, unless the mode is `degraded` */
  async open(): Promise<void> {
    try {
      if (this.commands.status === 'wait') await this.commands.connect();
      await requireVersion(this.commands);
    } catch (cause) {
      if (this.#mode === 'degraded') return;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new AsyncEndpointsError('STORE_UNAVAILABLE', `Redis cannot be used: ${reason}`, { cause });
    }
  }

  /** What an operator should know about the server's settings. */
  warnings(): Promise<string[]> {
    return settingsWarnings(this.commands);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    for (const client of this.#extra.values()) client.disconnect();
    if (this.#own) return this.#quit();
    for (const [event, listener] of Object.entries(this.#listeners)) this.commands.off(event, listener);
  }

  async #quit(): Promise<void> {
    await this.commands.quit().catch(() => this.commands.disconnect());
  }

  #duplicate(purpose: 'work' | 'changes'): RedisClient {
    let client = this.#extra.get(purpose);
    if (!client) {
      // Both wait for long on purpose: no deadline, and no giving up while the server is away.
      const patient = {
        commandTimeout: undefined,
        maxRetriesPerRequest: null,
        enableOfflineQueue: true,
        lazyConnect: false,
      };
      client =
        this.commands instanceof Cluster
          ? this.commands.duplicate([], { redisOptions: patient })
          : this.commands.duplicate(patient);
      client.on('error', ignore);
      this.#extra.set(purpose, client);
    }
    return client;
  }
}

/** Whatever goes wrong between us and Redis, or in it, is the store being unavailable; the cause goes along for the log. */
export async function available<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    throw new AsyncEndpointsError('STORE_UNAVAILABLE', undefined, { cause });
  }
}

/** Connection errors are reported by the calls that fail of them. */
function ignore(): void {}
