import { DemoJobsModule, HealthModule, TelemetryModule } from '@app/demo';
import { type DynamicModule, Module } from '@nestjs/common';
import { AsyncEndpointsModule } from 'nestjs-async-endpoints';
import type { AsyncEndpointsConfiguration } from 'nestjs-async-endpoints/config';

/** Runs jobs, and serves only health and metrics over HTTP. */
@Module({ imports: [DemoJobsModule, HealthModule] })
export class WorkerModule {
  static with(configuration: AsyncEndpointsConfiguration): DynamicModule {
    const asyncEndpoints = AsyncEndpointsModule.forRootAsync(configuration);
    return { module: WorkerModule, imports: [asyncEndpoints, TelemetryModule.with(configuration)] };
  }
}
