import { Module } from '@nestjs/common';
import { AsyncEndpointsModule, defineJob, MemoryJobStore } from 'nestjs-async-endpoints';
import { AsyncEndpointsClient } from 'nestjs-async-endpoints/client';
import { fromConfig } from 'nestjs-async-endpoints/config';
import { AsyncEndpointsHealthModule } from 'nestjs-async-endpoints/health';
import { RedisJobStore } from 'nestjs-async-endpoints/redis';
import { AsyncEndpointsTelemetryModule } from 'nestjs-async-endpoints/telemetry';
import { eventually } from 'nestjs-async-endpoints/testing';
import { ProcessDataController, ProcessDataHandler } from '../src/process-data';

/** Any option, as it comes from the environment. */
declare const number: number | undefined;
declare const text: string | undefined;

export const Report = defineJob<{ title: string }, { pages: number }>('Report', { maxRetries: number });
export const client = new AsyncEndpointsClient({ baseUrl: text, requestTimeoutMs: number });
export const store = text ? new RedisJobStore({ url: text, commandTimeoutMs: number }) : new MemoryJobStore();

@Module({
  imports: [
    AsyncEndpointsModule.forRoot({
      store: new RedisJobStore({ url: process.env.REDIS_URL }),
      worker: { maxConcurrency: number },
      jobs: { maxQueueSize: number },
      http: { path: text },
      role: undefined,
    }),
    AsyncEndpointsHealthModule,
    AsyncEndpointsTelemetryModule.forRoot({ meterProvider: undefined }),
  ],
  controllers: [ProcessDataController],
  providers: [ProcessDataHandler],
})
export class AppModule {}

export const configured = AsyncEndpointsModule.forRootAsync(
  fromConfig({ defaults: { store: undefined, worker: { maxConcurrency: number } } }),
);
export const events = async (id: string) => {
  const job = client.job(Report, id);
  for await (const state of job.events()) if (state.status === 'Completed') return state.result;
  return eventually(async () => job.wait());
};
