import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { AsyncEndpointsError } from '../job/errors.js';
import type { RedisClient } from './define-script.js';

export interface RedisConnectionOptions {
  /** Such as `redis://user:password@host:6379/0`, or `rediss://` for TLS. Default `redis://127.0.0.1:6379`. */
  url?: string;
  /** Any options of ioredis: TLS, ACL user, Sentinel, retry strategy. They win over the URL. */
  redis?: RedisOptions;
  /** A connected client of the application's own, also a `Cluster`; it is not closed with the store. */
  client?: RedisClient;
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
  readonly #extra = new Map<'work' | 'changes', RedisClient>();

  constructor({ url = 'redis://127.0.0.1:6379', redis, client, commandTimeoutMs = 5_000 }: RedisConnectionOptions) {
    this.#own = client === undefined;
    this.commands =
      client ??
      new Redis(url, { commandTimeout: commandTimeoutMs, maxRetriesPerRequest: 1, lazyConnect: true, ...redis });
    this.commands.on('error', ignore);
  }

  get work(): RedisClient {
    return this.#duplicate('work');
  }

  get changes(): RedisClient {
    return this.#duplicate('changes');
  }

  async open(): Promise<void> {
    if (this.commands.status === 'wait') await available(this.commands.connect());
    await available(this.commands.ping());
  }

  async close(): Promise<void> {
    for (const client of this.#extra.values()) client.disconnect();
    if (this.#own) await this.commands.quit().catch(() => this.commands.disconnect());
  }

  #duplicate(purpose: 'work' | 'changes'): RedisClient {
    let client = this.#extra.get(purpose);
    if (!client) {
      // Both wait for long on purpose: no deadline, and no giving up while the server is away.
      const patient = { commandTimeout: undefined, maxRetriesPerRequest: null, lazyConnect: false };
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
