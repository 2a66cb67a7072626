import { DemoJobsModule, HealthModule } from '@app/demo';
import { type DynamicModule, Module } from '@nestjs/common';
import { AsyncEndpointsModule } from 'nestjs-async-endpoints';
import type { AsyncEndpointsConfiguration } from 'nestjs-async-endpoints/config';

/** Does jobs, and speaks HTTP of nothing but its health. */
@Module({ imports: [DemoJobsModule, HealthModule] })
export class WorkerModule {
  static with(configuration: AsyncEndpointsConfiguration): DynamicModule {
    return { module: WorkerModule, imports: [AsyncEndpointsModule.forRootAsync(configuration)] };
  }
}
