import type * as Main from 'nestjs-async-endpoints';
import type * as Dashboard from 'nestjs-async-endpoints/dashboard';
import type * as Postgres from 'nestjs-async-endpoints/postgres';
import type * as Redis from 'nestjs-async-endpoints/redis';
import type * as Sqlite from 'nestjs-async-endpoints/sqlite';

/* The page is compiled by the build, so the tests of the dashboard use the package as it was built. */
const built = async <T>(entry: string): Promise<T> =>
  (await import(new URL(`../../libs/async-endpoints/dist/${entry}/index.js`, import.meta.url).href)) as T;

export const {
  AsyncEndpointsModule,
  AsyncEndpoint,
  AsyncHandler,
  defineJob,
  JobManager,
  MemoryJobStore,
  PermanentJobError,
  RetryJobError,
} = await built<typeof Main>('.');
export const { AsyncDashboardModule } = await built<typeof Dashboard>('dashboard');
export const { PostgresJobStore } = await built<typeof Postgres>('stores/postgres');
export const { RedisJobStore } = await built<typeof Redis>('stores/redis');
export const { SqliteJobStore } = await built<typeof Sqlite>('stores/sqlite');
