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
  /** Arguments of `redis-server`. */
  args?: string[];
  /** The options of the store of each test. Its clock is `now`. */
  options?: RedisJobStoreOptions;
  /** Whether each test ends with an audit, which must find no deviation. */
  audited?: boolean;
  /** Runs after each test, before the audit and before the store is closed. */
  mend?: (test: RedisStoreTest) => Promise<unknown>;
}

/** The fixture of a test file: one server for all tests, and one store for each test. */
export class RedisStoreTest {
  server!: RedisServer;
  /** A client that bypasses the store. */
  client!: Redis;
  store!: RedisJobStore;
  prefix = '';
  /** The store's clock. */
  now = 0;
  /** The notices of the store since the test began. */
  heard: string[] = [];

  /** The keys of a partition. */
  keys(partition = 0): RedisKeys {
    return new RedisKeys(this.prefix, partition);
  }

  /** Submits `count` new jobs and returns their ids. */
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
