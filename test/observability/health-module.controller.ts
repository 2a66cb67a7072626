import { Controller, Get, Module } from '@nestjs/common';
import { HealthCheck, HealthCheckService } from '@nestjs/terminus';
import {
  AsyncEndpointsHealthModule,
  JobStoreHealthIndicator,
  JobWorkerHealthIndicator,
} from 'nestjs-async-endpoints/health';

@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly store: JobStoreHealthIndicator,
    private readonly worker: JobWorkerHealthIndicator,
  ) {}

  @Get('ready')
  @HealthCheck()
  ready() {
    return this.health.check([() => this.store.isReady('asyncendpoints')]);
  }

  @Get('live')
  @HealthCheck()
  live() {
    return this.health.check([() => this.worker.isHealthy('worker')]);
  }
}

@Module({ imports: [AsyncEndpointsHealthModule], controllers: [HealthController] })
export class HealthModule {}
