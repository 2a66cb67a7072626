import { availableParallelism } from 'node:os';
import { AsyncEndpointsModule } from 'nestjs-async-endpoints';
import { fromConfig } from 'nestjs-async-endpoints/config';

/** One process for HTTP and jobs, with low limits. Jobs are in Redis, so that they survive the process. */
export const singleInstance = () =>
  AsyncEndpointsModule.forRootAsync(
    fromConfig({
      defaults: {
        store: 'redis',
        workerConfigurations: {
          maximumConcurrency: availableParallelism(),
          maximumQueueSize: 500,
          jobTimeoutMinutes: 60,
          pollingIntervalMs: 2_000,
        },
        jobManagerConfiguration: { defaultMaxRetries: 3, retryDelayBaseSeconds: 2, maxConcurrentJobs: 20 },
      },
    }),
  );
