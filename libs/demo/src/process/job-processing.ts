import type { DynamicModule } from '@nestjs/common';
import { AsyncEndpointsModule } from 'nestjs-async-endpoints';
import { RedisJobStore } from 'nestjs-async-endpoints/redis';
import type { Settings } from './settings.js';

/** The library as the settings would have it. */
export function jobProcessing({ role, redisUrl, worker, recovery }: Settings): DynamicModule {
  const store = redisUrl === null ? undefined : new RedisJobStore({ url: redisUrl });
  return AsyncEndpointsModule.forRoot({ role, store, worker, recovery });
}
