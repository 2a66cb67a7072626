import { DemoApiModule, DemoJobsModule, TelemetryModule } from '@app/demo';
import { type DynamicModule, Module } from '@nestjs/common';
import { AsyncEndpointsModule } from 'nestjs-async-endpoints';
import type { AsyncEndpointsConfiguration } from 'nestjs-async-endpoints/config';
import { AsyncDashboardModule } from 'nestjs-async-endpoints/dashboard';
import { HomeController } from './home.controller.js';
import { accessFromHere } from './local-access.js';

/** Serves HTTP. With the role `all`, it also runs the jobs in the same process. */
@Module({ imports: [DemoApiModule], controllers: [HomeController] })
export class AppModule {
  static with(configuration: AsyncEndpointsConfiguration): DynamicModule {
    const jobs = configuration.role === 'all' ? [DemoJobsModule] : [];
    const asyncEndpoints = AsyncEndpointsModule.forRootAsync(configuration);
    const dashboard = AsyncDashboardModule.forRoot({ path: 'dashboard', public: true, access: accessFromHere });
    return { module: AppModule, imports: [asyncEndpoints, dashboard, TelemetryModule.with(configuration), ...jobs] };
  }
}
