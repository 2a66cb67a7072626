import { DemoJobsModule, HealthModule, jobProcessing, type Settings } from '@app/demo';
import { type DynamicModule, Module } from '@nestjs/common';

/** Does jobs, and speaks HTTP of nothing but its health. */
@Module({ imports: [DemoJobsModule, HealthModule] })
export class WorkerModule {
  static with(settings: Settings): DynamicModule {
    return { module: WorkerModule, imports: [jobProcessing(settings)] };
  }
}
