import { DemoApiModule, DemoJobsModule, TelemetryModule } from '@app/demo';
import { type DynamicModule, Module } from '@nestjs/common';
import { AsyncEndpointsModule } from 'nestjs-async-endpoints';
import type { AsyncEndpointsConfiguration } from 'nestjs-async-endpoints/config';
import { HomeController } from './home.controller.js';

/** Takes requests; where its role says so, it does the jobs too, in the same process. */
@Module({ imports: [DemoApiModule], controllers: [HomeController] })
export class AppModule {
  static with(configuration: AsyncEndpointsConfiguration): DynamicModule {
    const jobs = configuration.role === 'all' ? [DemoJobsModule] : [];
    const asyncEndpoints = AsyncEndpointsModule.forRootAsync(configuration);
    return { module: AppModule, imports: [asyncEndpoints, TelemetryModule.with(configuration), ...jobs] };
  }
}
