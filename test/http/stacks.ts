import { randomUUID } from 'node:crypto';
import { type RedisServer, startRedisServer } from '@app/redis-server';
import { type JobStore, MemoryJobStore } from 'nestjs-async-endpoints';
import { RedisJobStore } from 'nestjs-async-endpoints/redis';

export const ADAPTERS = ['Express', 'Fastify'] as const;
export type AdapterName = (typeof ADAPTERS)[number];

/** The combinations on which the contract is tested: each adapter on the memory store and on Redis. */
export const STACKS = [...ADAPTERS, 'Express and Redis', 'Fastify and Redis'] as const;
export type StackName = (typeof STACKS)[number];

/** One storage, with one store for each replica. */
export interface Stores {
  /** The store of another replica. */
  replica(): JobStore;
}

let redis: Promise<RedisServer> | undefined;

/** The Redis of this test file, started when a test first wants it. */
export function redisServer(): Promise<RedisServer> {
  return (redis ??= startRedisServer());
}

afterAll(async () => {
  await (await redis)?.stop();
  redis = undefined;
});

/** Redis gets a prefix for each test, whose data is audited at the end of the test. */
export async function storesOf(stack: StackName, { now }: { now?: () => number } = {}): Promise<Stores> {
  if (!stack.endsWith('Redis')) {
    const memory = new MemoryJobStore({ now });
    return { replica: () => memory };
  }
  const { url } = await redisServer();
  const prefix = randomUUID();
  onTestFinished(() => expectCleanAudit(url, prefix));
  return { replica: () => new RedisJobStore({ url, prefix, now }) };
}

export async function storeOf(stack: StackName, options: { now?: () => number } = {}): Promise<JobStore> {
  return (await storesOf(stack, options)).replica();
}

async function expectCleanAudit(url: string, prefix: string): Promise<void> {
  const auditor = new RedisJobStore({ url, prefix });
  await auditor.open();
  try {
    expect(await auditor.audit()).toEqual([]);
  } finally {
    await auditor.close();
  }
}
