import { randomUUID } from 'node:crypto';
import { type RedisServer, startRedisServer } from '@app/redis-server';
import { Redis } from 'ioredis';
import { STORE_NOTICE, type StoreNotice } from '../../events/channels.js';
import type { Claim } from '../../job/job.js';
import { aJob } from '../../testing/index.js';
import { RedisKeys } from './keys.js';
import type { RedisJobStoreOptions } from './options.js';
import { RedisJobStore } from './redis-job-store.js';

interface Setup {
  /** For `redis-server`. */
  args?: string[];
  /** Of each test's store. Its clock is `now`. */
  options?: RedisJobStoreOptions;
  /** The audit after each test must find nothing. */
  audited?: boolean;
  /** Runs after each test, before its store is audited and closed. */
  mend?: (test: RedisStoreTest) => Promise<unknown>;
}

/** What the tests of a file have at hand: one server for all, and a store of its own for each. */
export class RedisStoreTest {
  server!: RedisServer;
  /** Past the store. */
  client!: Redis;
  store!: RedisJobStore;
  prefix = '';
  /** The store's clock. */
  now = 0;
  /** What the store has told an operator since the test began. */
  heard: string[] = [];

  /** Of a partition. */
  keys(partition = 0): RedisKeys {
    return new RedisKeys(this.prefix, partition);
  }

  /** Ids of so many new jobs. */
  async submit(count: number, over: Parameters<typeof aJob>[0] = {}): Promise<[string, ...string[]]> {
    const jobs = Array.from({ length: count }, () => aJob(over));
    await this.store.submit(jobs, { queueLimit: 100_000 });
    return jobs.map(({ id }) => id) as [string, ...string[]];
  }

  claim(limit: number, { names = ['Work'], leaseMs = 1_000 } = {}): Promise<Claim[]> {
    return this.store.claim({ worker: 'w', leaseMs, limit, slots: new Map(names.map((name) => [name, limit])) });
  }
}

/** Registers the hooks of a `describe`. */
export function redisStoreTest({ args = [], options, audited = false, mend }: Setup = {}): RedisStoreTest {
  const test = new RedisStoreTest();
  const hear = (notice: unknown) => void test.heard.push((notice as StoreNotice).message);

  beforeAll(async () => {
    test.server = await startRedisServer(args);
    test.client = new Redis(test.server.url);
    STORE_NOTICE.subscribe(hear);
  });

  afterAll(async () => {
    STORE_NOTICE.unsubscribe(hear);
    test.client.disconnect();
    await test.server.stop();
  });

  beforeEach(async () => {
    test.now = 1_000_000;
    test.prefix = randomUUID();
    const { prefix } = test;
    test.store = new RedisJobStore({ url: test.server.url, prefix, now: () => test.now, ...options });
    await test.store.open();
    test.heard = [];
  });

  afterEach(async () => {
    await mend?.(test);
    const deviations = audited ? await test.store.audit() : [];
    await test.store.close();
    if (deviations.length > 0) throw new Error(deviations.join('; '));
  });

  return test;
}
