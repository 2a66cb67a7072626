import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type PostgresServer, startPostgresServer } from '@app/postgres-server';
import { type RedisServer, startRedisServer } from '@app/redis-server';
import type { JobStore } from 'nestjs-async-endpoints';
import { temporaryFolder } from '../temporary-folder.js';
import { MemoryJobStore, PostgresJobStore, RedisJobStore, SqliteJobStore } from './built.js';

export const STORES = ['memory', 'Redis', 'SQLite', 'PostgreSQL'] as const;
export type StoreName = (typeof STORES)[number];

let redis: Promise<RedisServer> | undefined;
let postgres: Promise<PostgresServer> | undefined;

afterAll(async () => {
  await (await redis)?.stop();
  await (await postgres)?.stop();
  redis = postgres = undefined;
});

/** An empty store; the servers are those of this test file, started when a test first wants one. */
export async function storeOf(name: StoreName): Promise<JobStore> {
  if (name === 'memory') return new MemoryJobStore();
  if (name === 'SQLite') return new SqliteJobStore({ path: join(temporaryFolder(), 'jobs.sqlite') });
  if (name === 'Redis')
    return new RedisJobStore({ url: (await (redis ??= startRedisServer())).url, prefix: randomUUID() });
  const { url } = await (postgres ??= startPostgresServer());
  return new PostgresJobStore({ url, schema: `jobs_${randomUUID().replaceAll('-', '')}` });
}
