import { redisCli, type RedisServer, startRedisServer } from '@app/redis-server';
import { RedisJobStore, type RedisJobStoreOptions } from 'nestjs-async-endpoints/redis';
import type { AppProcess } from '../app-process.js';
import { Processes } from '../stores/system.js';

export { figure, isHeldBy, isSoak, LEASE_MS, PATIENCE_MS, SWEEP_MS, TAKEN_OVER } from '../stores/system.js';

/** Processes on a Redis for the test file. */
export class System extends Processes {
  declare readonly store: RedisJobStore;

  private constructor(
    readonly redis: RedisServer,
    private readonly storeOptions: RedisJobStoreOptions,
  ) {
    super(new RedisJobStore(storeOptions), { REDIS_URL: redis.url });
  }

  static async start(redisArgs: readonly string[] = []): Promise<System> {
    const redis = await startRedisServer(redisArgs);
    return System.on({ url: redis.url, redis: { retryStrategy: () => 20 } }, redis);
  }

  /** @param storeOptions of the test and of its `demo` processes */
  static async on(storeOptions: RedisJobStoreOptions, redis: RedisServer): Promise<System> {
    const system = new System(redis, storeOptions);
    await system.store.open();
    return system;
  }

  /** The demo on a store with the options of this system, or with others. */
  demo(
    role: 'api' | 'worker' | 'all',
    storeOptions: RedisJobStoreOptions = {},
    worker: object = {},
  ): Promise<AppProcess> {
    const store = JSON.stringify(['redis', { ...this.storeOptions, ...storeOptions }]);
    return this.run('demo', { ASYNC_ROLE: role, STORE: store, WORKER: JSON.stringify(worker) });
  }

  /** The number of connections that wait for work. */
  async blockedClients(): Promise<number> {
    const info = await redisCli('-p', String(this.redis.port), 'info', 'clients');
    return Number(/blocked_clients:(\d+)/.exec(info)?.[1]);
  }

  override async stop(): Promise<void> {
    await super.stop();
    await this.redis.stop();
  }
}
