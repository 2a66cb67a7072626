import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { JobStoreHealthIndicator } from './job-store.health-indicator.js';
import { JobWorkerHealthIndicator } from './job-worker.health-indicator.js';

/** Import it in the module of the health controller. */
@Module({
  imports: [TerminusModule],
  providers: [JobStoreHealthIndicator, JobWorkerHealthIndicator],
  exports: [TerminusModule, JobStoreHealthIndicator, JobWorkerHealthIndicator],
})
export class AsyncEndpointsHealthModule {}
