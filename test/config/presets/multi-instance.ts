import { availableParallelism } from 'node:os';
import { AsyncEndpointsModule } from 'nestjs-async-endpoints';
import { fromConfig } from 'nestjs-async-endpoints/config';

/** One of several instances that share the load. Each recovers the jobs of dead ones. */
export const multiInstance = () =>
  AsyncEndpointsModule.forRootAsync(
    fromConfig({
      defaults: {
        store: 'redis',
        workerConfigurations: {
          maximumConcurrency: Math.max(1, Math.floor(availableParallelism() / 2)),
          maximumQueueSize: 1_000, // of all instances together
          jobTimeoutMinutes: 60,
          pollingIntervalMs: 3_000, // only a fallback: workers are notified of work
        },
        jobManagerConfiguration: {
          defaultMaxRetries: 5,
          retryDelayBaseSeconds: 2,
          maxConcurrentJobs: 50,
          staleJobClaimCheckInterval: '00:01:00',
        },
        recoveryConfiguration: {
          enableDistributedJobRecovery: true,
          jobTimeoutMinutes: 60,
          recoveryCheckIntervalSeconds: 300,
          maximumRetries: 3,
        },
      },
    }),
  );
